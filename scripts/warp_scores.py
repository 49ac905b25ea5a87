"""How well a warped picture agrees with the true one, and depth with the errors that estimators make."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.pytree import pytree

WRONG = 20 / 255  # a pixel is wrong when a channel is off by more than this


@pytree
class WarpScores:
    """Of every frame; shares lie in [0, 1].

    Attributes:
        psnr: over the pixels taken into account, in dB.
        shared_psnr: over pixels that every warp in the comparison has, in dB.
        holes: share of the picture without a colour.
        wrong: share of the pixels taken into account that are off by more than 20 grey levels.
        right: share of the picture that has a colour which is not wrong.
    """

    psnr: Float[Array, "f"]
    shared_psnr: Float[Array, "f"]
    holes: Float[Array, "f"]
    wrong: Float[Array, "f"]
    right: Float[Array, "f"]


@jax.jit
def warp_scores(
    pictures: Float[Array, "f h w 3"],
    truth: Float[Array, "f h w 3"],
    known: Bool[Array, "f h w"],
    shared: Bool[Array, "f h w"],
) -> WarpScores:
    """Compare warped pictures with the truth.

    Args:
        pictures: warped, in [0, 1].
        truth: what the target camera really sees.
        known: pixels the warp claims to know.
        shared: pixels that all warps of a comparison claim to know: the same for each, so that none gains by claiming
            fewer.
    """
    wrong = jnp.abs(pictures - truth).max(-1) > WRONG
    return WarpScores(
        psnr=masked_psnr(pictures, truth, known),
        shared_psnr=masked_psnr(pictures, truth, shared),
        holes=1 - known.mean((-1, -2)),
        wrong=(wrong & known).sum((-1, -2)) / jnp.maximum(known.sum((-1, -2)), 1),
        right=(~wrong & known).mean((-1, -2)),
    )


def masked_psnr(
    pictures: Float[Array, "*f h w 3"], truth: Float[Array, "*f h w 3"], mask: Bool[Array, "*f h w"]
) -> Float[Array, "*f"]:
    """Peak signal-to-noise ratio over the pixels of a mask, in dB; NaN where the mask is empty.

    >>> ones = jnp.ones((1, 2, 3))
    >>> print(masked_psnr(ones, 0.9 * ones, jnp.ones((1, 2), bool)).round(3))
    20.0
    """
    squared = jnp.where(mask, jnp.mean((pictures - truth) ** 2, axis=-1), 0).sum((-1, -2))
    return -10 * jnp.log10(squared / mask.sum((-1, -2)))


def wrong_scale(
    depth: Float[Array, "h w"], scale: float | Float[Array, ""], shift: float | Float[Array, ""]
) -> Float[Array, "h w"]:
    """Depth of an estimator that knows it only up to scale and shift: `scale z + shift`."""
    return scale * depth + shift


@partial(jax.jit, static_argnames="radius")
def blurred_edges(depth: Float[Array, "h w"], radius: int) -> Float[Array, "h w"]:
    """Depth of an estimator that blurs: its inverse smoothed by a binomial filter of 2 radius + 1 pixels a side."""
    kernel = jnp.ones(1)
    for _ in range(2 * radius):
        kernel = jnp.convolve(kernel, jnp.array([0.5, 0.5]))
    inverse = 1 / depth
    for axis in (0, 1):
        ends = [(0, 0), (0, 0)]
        ends[axis] = (radius, radius)
        padded, size = jnp.pad(inverse, ends, mode="edge"), inverse.shape[axis]
        shifted = [jax.lax.slice_in_dim(padded, first, first + size, axis=axis) for first in range(len(kernel))]
        inverse = jnp.tensordot(kernel, jnp.stack(shifted), axes=1)
    return 1 / inverse
