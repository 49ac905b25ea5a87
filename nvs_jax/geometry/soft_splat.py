"""A splat without yes or no: where surfaces end, hide each other or tear, they fade within a pixel or two.

Every point spreads its colour over four pixels. In each pixel, what is nearest stands over all that is farther, as
strongly as its points cover the pixel; so a surface that comes to hide another one does so gradually. Where the nearest
depth jumps, what has become the nearest covers next to nothing yet.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from nvs_jax.geometry.masks import smoothstep
from nvs_jax.geometry.splat import Taps, accumulate, weigh_by_relative_depth, weighted_mean

_LEAST_SEEN = 1e-9  # of less no colour is told, for quotients of it leave float32


class SoftView(NamedTuple):
    """Colours, and how surely each pixel is seen, in [0, 1]."""

    picture: Float[Array, "3 h w"]
    visible: Float[Array, "h w"]


def soft_splat(
    colour: Float[Array, "3 n"],
    depth: Float[Array, "n"],
    firm: Float[Array, "n"],
    taps: Taps,
    shape: tuple[int, int],
    min_weight: float,
    tolerance: float,
    sharpness: float,
) -> SoftView:
    """What points show together.

    Args:
        colour: of each point.
        depth: z in the target camera, positive where `firm` is.
        firm: how much of a point there is, in [0, 1].
        taps: the pixels each touches.
        shape: rows and columns of the picture.
        min_weight: a pixel of this summed weight is seen by half, and of twice this wholly.
        tolerance: points within this share of the nearest depth belong to it.
        sharpness: among those of one layer a point weighs as its depth to the power of minus this.
    """
    used = firm > 0
    taps = taps._replace(weight=taps.weight * firm[:, None])
    front, exponent = _in_front(taps, depth, used, tolerance, shape), -sharpness * jnp.log(jnp.where(used, depth, 1))

    def layer(share: Float[Array, "n k"]) -> SoftView:
        part = taps._replace(weight=taps.weight * share)
        _, covered = accumulate(colour[:1], part, *shape)
        weighed, _ = weigh_by_relative_depth(part, exponent, used, *shape)
        return SoftView(weighted_mean(*accumulate(colour, weighed, *shape)), covered)

    near, far = layer(front), layer(1 - front)
    over = smoothstep(near.visible / (2 * min_weight))
    behind = smoothstep(far.visible / (2 * min_weight))
    seen = over + (1 - over) * behind
    # Of what is seen, for a hole has no colour to be mixed in.
    some = seen > _LEAST_SEEN
    share = over / jnp.where(some, seen, 1)
    return SoftView(jnp.where(some, share * near.picture + (1 - share) * far.picture, 0), seen)


def _in_front(
    taps: Taps, depth: Float[Array, "n"], used: Bool[Array, "n"], tolerance: float, shape: tuple[int, int]
) -> Float[Array, "n k"]:
    """How much each tap belongs to the nearest depth of its pixel: 1 there, 0 at 1.5 times the tolerance beyond it."""
    touches = used[:, None] & (taps.weight > 0)
    depth = jnp.where(touches, depth[:, None], 1)
    candidates = lax.stop_gradient(jnp.where(touches, depth, jnp.inf))
    nothing = jnp.zeros((shape[0] + 2) * (shape[1] + 2), depth.dtype)
    nearest = (nothing + jnp.inf).at[taps.cell].min(candidates, mode="drop")
    # The same once more as a mean of those that are it, which has a gradient.
    first = touches & (candidates == nearest[taps.cell])
    total, count = (nothing.at[taps.cell].add(jnp.where(first, x, 0), mode="drop") for x in (depth, 1.0))
    nearest = jnp.where(count > 0, total, 1) / jnp.where(count > 0, count, 1)
    return 1 - smoothstep((depth / nearest[taps.cell] - 1) / tolerance - 0.5)
