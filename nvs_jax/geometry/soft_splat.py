"""A splat without yes or no: where surfaces end, hide each other or tear, they fade within a pixel or two.

Every point spreads its colour over four pixels, and in each of them over the two nearest of some layers of depth. From
front to back layers let through what they do not cover: exp(-k c) of c, the summed weight of their points. What is let
through in all depends on the sum of c alone, so that it makes no difference how a surface is divided among layers.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.geometry.splat import Taps

_LAYERS = 32
_LEAST_SEEN = 1e-9  # of less no colour is told, for quotients of it leave float32
_SMALL = 1e-3


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
) -> SoftView:
    """What points show together.

    Args:
        colour: of each point.
        depth: z in the target camera, positive where `firm` is. Layers divide its range evenly in log z.
        firm: how much of a point there is, in [0, 1].
        taps: the pixels each touches.
        shape: rows and columns of the picture.
        min_weight: a summed weight that lets an eighth through; a third of it lets a half through.
    """
    place = _layer(depth, firm)
    behind = jnp.clip(jnp.floor(place), 0, _LAYERS - 2)
    part = (place - behind)[:, None] * jnp.array([-1.0, 1.0], depth.dtype) + jnp.array([1.0, 0.0], depth.dtype)
    cells = (shape[0] + 2) * (shape[1] + 2)
    layer = behind.astype(jnp.int32)[:, None] + jnp.array([0, 1], jnp.int32)
    cell = layer[:, :, None] * cells + taps.cell[:, None]
    weight = part[:, :, None] * (taps.weight * firm[:, None])[:, None]

    def add_up(values: Float[Array, "n"]) -> Float[Array, "layers h w"]:
        grid = jnp.zeros(_LAYERS * cells, depth.dtype).at[cell].add(weight * values[:, None, None], mode="drop")
        return grid.reshape(_LAYERS, shape[0] + 2, shape[1] + 2)[:, 1:-1, 1:-1]

    density = math.log(8) / min_weight
    covered = add_up(jnp.ones_like(depth))
    above = jnp.cumsum(covered, axis=0)
    share = jnp.exp(-density * (above - covered)) * _seen_of(covered, density)
    visible = -jnp.expm1(-density * above[-1])
    picture = jnp.stack([(share * add_up(channel)).sum(0) for channel in colour])
    some = visible > _LEAST_SEEN
    return SoftView(jnp.where(some, picture / jnp.where(some, visible, 1), 0), visible)


def _layer(depth: Float[Array, "n"], firm: Float[Array, "n"]) -> Float[Array, "n"]:
    """The layer of each point, with its fraction; 0 is the nearest."""
    used = firm > 0
    position = jnp.log(jnp.where(used, depth, 1))
    low = jnp.min(position, initial=jnp.inf, where=used)
    high = jnp.max(position, initial=-jnp.inf, where=used)
    span = high - low
    some = jnp.isfinite(span) & (span > _SMALL)
    return jnp.where(used & some, (position - low) / jnp.where(some, span, 1), 0) * (_LAYERS - 1)


def _seen_of(covered: Float[Array, "layers h w"], density: float) -> Float[Array, "layers h w"]:
    """(1 - exp(-k c)) / c: how much of a layer's summed colours shows."""
    small = covered < _SMALL
    c = jnp.where(small, 1, covered)
    return jnp.where(small, density * (1 - density * covered / 2), -jnp.expm1(-density * c) / c)
