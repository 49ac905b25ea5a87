"""Soft holes: a weight a latent cell, from the distance to the next hole and from how far the cell has moved.

Next to a hole a warp is least right (WorldForge, arXiv 2509.15130, fades its mask over 15 to 25 pixels), and what a
wrong depth moves a cell by grows with how far it has moved.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.diffusion.contracts import Denoiser, Guidance, Latents, Sigma, TrustValues
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.pytree import pytree


@pytree
class SoftHoles:
    """A guidance that counts in each cell by its weight a: mu~ <- mu + a (mu~ - mu), and likewise its correction.

    Attributes:
        guidance: what works outside of holes.
        weight: a, in [0, 1].
    """

    guidance: Guidance
    weight: Float[Array, "#b f h w"]

    def correct(self, x: Latents, sigma: Sigma, w: TrustValues, denoiser: Denoiser, key: Keys) -> Latents:
        return x + self.weight[..., None] * (self.guidance.correct(x, sigma, w, denoiser, key) - x)

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        return x0 + self.weight[..., None] * (self.guidance.estimate(x0, sigma, w, key) - x0)


def edge_weight(hole: Bool[Array, "#b f h w"], width: float | Float[Array, ""]) -> Float[Array, "#b f h w"]:
    """min(1, d / (width + 1)) of each cell, d cells from the nearest hole in its frame; 0 in a hole."""
    *_, height, columns = hole.shape
    far = float(height + columns)

    def apart(n: int) -> Float[Array, "n n"]:
        return (jnp.arange(n)[:, None] - jnp.arange(n)) ** 2.0

    along = jnp.where(hole[..., None, :], apart(columns), far**2).min(-1)
    square = (along[..., None, :, :] + apart(height)[..., None]).min(-2)
    return jnp.minimum(1.0, jnp.sqrt(square) / (width + 1))


def doubt_weight(moved: Float[Array, "f h w"], half: float | Float[Array, ""]) -> Float[Array, "1 f h w"]:
    """1 / (1 + (|dp| / half)^2) of each cell."""
    return 1 / (1 + (moved[None] / half) ** 2)
