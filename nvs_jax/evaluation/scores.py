"""PSNR and SSIM of frames against the truth, over whole pictures and over holes alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from nvs_jax.errors import InputError

BEST_PSNR = 100.0
"""dB. What is better counts as this, so that means stay finite."""
FEWEST_PIXELS = 16
"""A frame with fewer hole pixels says nothing about holes: its scores over them are None."""

Frames = Float[np.ndarray, "f h w 3"]
Masks = Bool[np.ndarray, "f h w"]


@dataclass(frozen=True)
class Scores:
    """Of every frame but the given one.

    Attributes:
        psnr: dB, over all pixels.
        hole_psnr: dB, over holes; None where there are hardly any.
        ssim: over all pixels; 1 is the truth.
        hole_ssim: the same map averaged over holes.
        hole_share: part of the picture that is a hole.
    """

    psnr: list[float]
    hole_psnr: list[float | None]
    ssim: list[float]
    hole_ssim: list[float | None]
    hole_share: list[float]


def score(frames: Frames, truth: Frames, holes: Masks) -> Scores:
    """Compare frames with the truth.

    Args:
        frames: in [0, 1], without the given one.
        truth: what the cameras really see.
        holes: what the warp with true depth does not know; the same for all that are compared.

    Raises:
        InputError: scikit-image is not installed.
    """
    everywhere = np.ones_like(holes)
    similar = ssim_maps(frames, truth)
    return Scores(
        psnr=[value for value in masked_psnr(frames, truth, everywhere) if value is not None],
        hole_psnr=masked_psnr(frames, truth, holes),
        ssim=[float(one.mean()) for one in similar],
        hole_ssim=masked_means(similar, holes),
        hole_share=[float(mask.mean()) for mask in holes],
    )


def masked_psnr(frames: Frames, truth: Frames, masks: Masks) -> list[float | None]:
    """Peak signal-to-noise ratio of every frame over its mask, in dB."""
    squared = np.mean((np.asarray(frames, np.float64) - truth) ** 2, axis=-1)
    errors = masked_means(squared, masks)
    return [None if error is None else min(BEST_PSNR, -10 * float(np.log10(max(error, 1e-12)))) for error in errors]


def masked_means(maps: Float[np.ndarray, "f h w"], masks: Masks) -> list[float | None]:
    """The mean of every map over its mask; None where that has fewer than `FEWEST_PIXELS`."""
    pairs = zip(maps, masks, strict=True)
    return [float(one[mask].mean()) if mask.sum() >= FEWEST_PIXELS else None for one, mask in pairs]


def ssim_maps(frames: Frames, truth: Frames) -> Float[np.ndarray, "f h w"]:
    """Structural similarity at every pixel, a mean over channels (Wang et al. 2004: Gaussian window, sigma 1.5)."""
    try:
        from skimage.metrics import structural_similarity
    except ImportError:
        raise InputError("scikit-image is missing: pip install 'nvs-jax[evaluate]'") from None
    how: Any = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "win_size": _window(truth)}
    pairs: list[Any] = [
        structural_similarity(a, b, channel_axis=-1, data_range=1.0, full=True, **how)
        for a, b in zip(frames, truth, strict=True)
    ]
    return np.stack([full for _, full in pairs]).mean(-1, dtype=np.float32)


def _window(truth: Frames) -> int:
    """11 pixels, as published; less where the pictures are smaller."""
    return min(11, *(side - 1 + side % 2 for side in truth.shape[1:3]))
