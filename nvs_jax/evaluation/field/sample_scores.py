"""Scores of the frames of a benchmark: over all pixels, over those that some given view shows, and over holes."""

import jax
import numpy as np
from jaxtyping import Array, Bool, Float

from nvs_jax.evaluation.field.samples import Task
from nvs_jax.evaluation.scores import Frames, masked_means, masked_psnr, ssim_maps
from nvs_jax.models.lpips import Lpips

Values = list[float | None]


def known_scores(frames: Frames, task: Task, lpips: Lpips | None = None) -> dict[str, Values]:
    """PSNR and SSIM of every frame: whole, of what some given view shows, and of holes; None of hardly any pixels.

    Without a truth, only how much is a hole.

    Args:
        frames: in [0, 1].
        task: what they are compared with.
        lpips: measures LPIPS, too.

    Raises:
        InputError: frames too small for LPIPS; scikit-image is not installed.
    """
    shares: Values = [float(share) for share in task.holes.mean((1, 2))]
    if task.truth is None:
        return {"hole_share": shares}
    parts = {"": np.ones_like(task.holes), "known_": ~task.holes, "hole_": task.holes}
    similar = ssim_maps(frames, task.truth)
    return {
        **{f"{part}psnr": masked_psnr(frames, task.truth, mask) for part, mask in parts.items()},
        **{f"{part}ssim": masked_means(similar, mask) for part, mask in parts.items()},
        **({} if lpips is None else lpips_scores(lpips, frames, task.truth, task.holes)),
        "hole_share": shares,
    }


def lpips_scores(lpips: Lpips, frames: Frames, truth: Frames, holes: Bool[np.ndarray, "f h w"]) -> dict[str, Values]:
    """LPIPS as published, and the means of its map over what is no hole and over holes.

    Raises:
        InputError: frames too small for it.
    """
    # Pair by pair: one program whatever the number of frames, and the features of one pair in memory.
    pairs = [_compare(lpips, frame[None], true[None]) for frame, true in zip(frames, truth, strict=True)]
    maps = np.concatenate([np.asarray(where) for _, where in pairs])
    return {
        "lpips": [float(value[0]) for value, _ in pairs],
        "known_lpips": masked_means(maps, ~holes),
        "hole_lpips": masked_means(maps, holes),
    }


@jax.jit
def _compare(
    lpips: Lpips, frame: Float[Array | np.ndarray, "1 h w 3"], true: Float[Array | np.ndarray, "1 h w 3"]
) -> tuple[Float[Array, "1"], Float[Array, "1 h w"]]:
    with jax.default_matmul_precision("highest"):  # accelerators would round products to three digits
        return lpips.compare(frame, true)
