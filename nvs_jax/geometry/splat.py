"""Forward bilinear splat: every point of a source spreads its colour over the pixels around where it lands.

A splat is three choices: which pixels a position touches and how strongly (`reference_taps`, `bilinear_taps`), how
much a nearer point outweighs a farther one (`depth_weight`, `only_nearest`), and the weighted mean per pixel
(`accumulate`, `weighted_mean`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int


class Taps(NamedTuple):
    """The k pixels that each of n points touches, and how strongly.

    `cell` counts row by row through the picture with one pixel of margin on every side, (H+2) x (W+2).
    """

    cell: Int[Array, "n k"]
    weight: Float[Array, "n k"]


def reference_taps(position: Float[Array, "n 2"], height: int, width: int) -> Taps:
    """Floor and *ceil* of each position, as the release.

    A position that is whole along one axis has floor = ceil there, so that its pixels count twice; whole along both,
    its one pixel counts four times. Positions outside are moved to the margin, where they disturb nothing; one within
    a pixel of the border gives the border's pixels their share. Gradients are those of the bilinear weights: none
    for points outside; they jump where a position is whole.

    Args:
        position: (x, y) in pixels, possibly outside the picture.
        height: rows of the picture.
        width: columns of the picture.
    """
    column, across = _pair(position[:, 0], width)
    row, down = _pair(position[:, 1], height)
    cell = row[:, :, None] * (width + 2) + column[:, None, :]
    weight = down[:, :, None] * across[:, None, :]
    return Taps(cell.reshape(-1, 4), weight.reshape(-1, 4))


def bilinear_taps(position: Float[Array, "n 2"], height: int, width: int) -> Taps:
    """Floor and floor + 1 of each position: every point spreads a weight of 1 over its four pixels.

    Arguments are those of `reference_taps`. Gradients are those of the bilinear weights; they jump where a position
    is whole.
    """
    limit = jnp.array([width, height], position.dtype)
    position = jnp.clip(position + 1, 0, limit + 1)
    low = jnp.minimum(jnp.floor(position), limit)
    part = position - low
    column, row = jnp.moveaxis(low.astype(jnp.int32), -1, 0)
    (x, y), stride = jnp.moveaxis(part, -1, 0), width + 2
    cell = (row * stride + column)[:, None] + jnp.array([0, 1, stride, stride + 1], jnp.int32)
    weight = jnp.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], axis=-1)
    return Taps(cell, weight)


def only_nearest(
    taps: Taps, depth: Float[Array, "n"], used: Bool[Array, "n"], tolerance: float, height: int, width: int
) -> Taps:
    """Two passes: find each pixel's nearest depth among the points that touch it, then keep only taps at that depth.

    Which taps stay is not differentiable and jumps as points pass each other; the weights that stay are.

    Args:
        taps: of all points.
        depth: z in the target camera.
        used: points to splat; the others get no weight.
        tolerance: a tap this much farther than the nearest, relative to it, still belongs to the same surface.
        height: rows of the picture.
        width: columns of the picture.
    """
    touches = used[:, None] & (taps.weight > 0)
    candidates = jnp.where(touches, depth[:, None], jnp.inf)
    nearest = jnp.full((height + 2) * (width + 2), jnp.inf, depth.dtype).at[taps.cell].min(candidates, mode="drop")
    kept = touches & (depth[:, None] <= nearest[taps.cell] * (1 + tolerance))
    return taps._replace(weight=jnp.where(kept, taps.weight, 0))


def _pair(x: Float[Array, "n"], size: int) -> tuple[Int[Array, "n 2"], Float[Array, "n 2"]]:
    """Floor and ceil along one axis, counted from the margin, and the linear weight of each."""
    x = jnp.clip(x + 1, 0, size + 1)
    low, high = jnp.floor(x), jnp.ceil(x)
    return jnp.stack([low, high], axis=1).astype(jnp.int32), jnp.stack([1 - (x - low), 1 - (high - x)], axis=1)


def depth_exponent(depth: Float[Array, "n"], sharpness: float) -> Float[Array, "n"]:
    """`-sharpness log(1+z) / max log(1+z)`: 0 at depth 0, -sharpness at the farthest point of the frame.

    Args:
        depth: z >= 0 in the target camera.
        sharpness: 50 in the release.
    """
    log_depth = jnp.log1p(depth)
    largest = log_depth.max()
    return -sharpness * log_depth / jnp.where(largest > 0, largest, 1.0)


def depth_weight(depth: Float[Array, "n"], sharpness: float) -> Float[Array, "n"]:
    """The exponential of `depth_exponent`, as the release; a sharpness of up to about 80 stays within float32."""
    return jnp.exp(depth_exponent(depth, sharpness))


def weigh_by_relative_depth(
    taps: Taps, exponent: Float[Array, "n"], used: Bool[Array, "n"], height: int, width: int
) -> tuple[Taps, Float[Array, "h w"]]:
    """Taps with weights times `exp(exponent)`, whatever its size: relative to the largest that touches a pixel.

    That leaves weighted means as they are.

    Returns:
        the taps, and for every pixel what to add to the logarithm of its summed weight; 0 where nothing falls.
    """
    touches = used[:, None] & (taps.weight > 0)
    candidates = lax.stop_gradient(jnp.where(touches, exponent[:, None], -jnp.inf))
    cells = (height + 2) * (width + 2)
    largest = jnp.full(cells, -jnp.inf, exponent.dtype).at[taps.cell].max(candidates, mode="drop")
    largest = jnp.where(jnp.isfinite(largest), largest, 0)
    relative = jnp.where(touches, exponent[:, None] - largest[taps.cell], 0)
    shift = largest.reshape(height + 2, width + 2)[1:-1, 1:-1]
    return taps._replace(weight=jnp.where(touches, taps.weight * jnp.exp(relative), 0)), shift


def accumulate(
    colour: Float[Array, "c n"], taps: Taps, height: int, width: int
) -> tuple[Float[Array, "c h w"], Float[Array, "h w"]]:
    """Per pixel, the sum of weighted colours and the sum of weights. The margin is cut off.

    Channels first, and one scatter a channel: TPUs pad a last axis of a few channels to 128, which takes 8 times the
    memory, and a CPU takes 4 times as long. One after the other in a loop: else XLA computes the taps again for each.
    """

    def add_up(channel: Float[Array, "n"]) -> Float[Array, "h w"]:
        grid = jnp.zeros((height + 2) * (width + 2), channel.dtype)
        grid = grid.at[taps.cell].add(taps.weight * channel[:, None], mode="drop")
        return grid.reshape(height + 2, width + 2)[1:-1, 1:-1]

    sums = lax.map(add_up, jnp.concatenate([colour, jnp.ones_like(colour[:1])]))
    return sums[:-1], sums[-1]


@jax.custom_jvp
def weighted_mean(total: Float[Array, "c h w"], weight: Float[Array, "h w"]) -> Float[Array, "c h w"]:
    """`total / weight`, and 0 where no weight fell.

    Weights go down to e^-50, whose square is zero in float32: the rule below needs no square, an ordinary quotient's
    does.
    """
    return jnp.where(weight > 0, 1 / jnp.where(weight > 0, weight, 1), 0) * total


@weighted_mean.defjvp
def _weighted_mean_jvp(primals, tangents):
    total, weight = primals
    total_dot, weight_dot = tangents
    mean = weighted_mean(total, weight)
    return mean, weighted_mean(total_dot - mean * weight_dot, weight)
