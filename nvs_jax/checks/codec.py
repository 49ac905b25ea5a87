"""What a sound codec does: what it encodes it can decode again, and its latents have the size a denoiser expects."""

from collections.abc import Iterator

import jax
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.checks.finite import check_finite
from nvs_jax.checks.outcome import Outcome
from nvs_jax.diffusion.contracts import Codec

LEAST_PSNR = 28.0
"""In dB, of the worst frame. A wrong layer costs far more than the few dB by which pictures differ."""
LATENT_SIZE = (0.25, 3.0)
"""Root mean square of latents in the denoiser's units, which are chosen so that it is about 1."""


def check_codec(
    codec: Codec, clip: Float[Array, "n H W 3"], latents: Float[Array, "f h w c"], decoded: int = 4
) -> Iterator[Outcome]:
    """Round trip of a clip, and the size of its latents.

    Args:
        codec: of the model.
        clip: frames in [0, 1].
        latents: `codec.encode(clip)`.
        decoded: as many latent frames, from the first on, are decoded and compared.
    """
    yield check_finite("VAE: latents", latents)
    size = float(np.sqrt(np.mean(np.asarray(latents) ** 2)))
    yield Outcome("VAE: size of the latents (root mean square)", size, *LATENT_SIZE)
    frames = np.asarray(_decode(codec, latents[None, :decoded])[0])
    yield check_finite("VAE: decoded frames", frames)
    error = np.mean((frames - np.asarray(clip)[: len(frames)]) ** 2, axis=(1, 2, 3))
    psnr = float(-10 * np.log10(np.maximum(error.max(), 1e-12)))
    yield Outcome("VAE: round trip of a clip, worst frame", psnr, low=LEAST_PSNR, unit="dB")


@jax.jit
def encode(codec: Codec, clip: Float[Array, "n H W 3"]) -> Float[Array, "f h w c"]:
    """`codec.encode`, compiled."""
    return codec.encode(clip)


@jax.jit
def _decode(codec: Codec, latents: Float[Array, "b f h w c"]) -> Float[Array, "b n H W 3"]:
    return codec.decode(latents)
