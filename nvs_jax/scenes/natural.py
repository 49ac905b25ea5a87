"""Surfaces with the statistics of photographs: noise of equal contrast at every scale, leaves, and writing.

The power of photographs falls with the square of spatial frequency: every octave has the same contrast. Leaves are the
same noise cut into patches with edges at every scale; writing is rows of strokes.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from nvs_jax.scenes.noise import hashed, octaves_of_noise, scatter
from nvs_jax.scenes.vectors import Vector

KINDS = ("as it is", "cloudy", "leaves", "writing")
"""The first one leaves a material to its pattern."""
_OCTAVES = 5
_INK = 0.35  # share of a line that strokes cover


class Natural(NamedTuple):
    """What makes n materials natural.

    Attributes:
        kind: index into KINDS.
        gain: contrast of an octave over that of the one before; 1 as in photographs.
    """

    kind: Int[Array, "n"]
    gain: Float[Array, "n"]


def natural_weights(
    natural: Natural, cells: Vector, width: Float[Array, "r"]
) -> tuple[Float[Array, "r"], Float[Array, "r"]]:
    """How much of the second and of the third colour a point has, in [0, 1].

    Args:
        natural: one per ray.
        cells: the point in the texture's axes, in cells.
        width: of the pixel's footprint, in cells; what is finer fades to its mean.
    """
    frequency = 2.0 ** jnp.arange(_OCTAVES, dtype=cells.dtype)[:, None]
    octaves = octaves_of_noise(cells, _OCTAVES, 31.3)
    seen = jnp.clip(1.5 - 2.5 * width * frequency, 0, 1)
    patches = jnp.clip(octaves / jnp.maximum(0.06, width * frequency), -0.5, 0.5)
    shape = jnp.where(natural.kind == KINDS.index("leaves"), 0.6 * patches, octaves)
    strength = seen * natural.gain ** jnp.arange(_OCTAVES, dtype=cells.dtype)[:, None]
    tone = jnp.clip(0.5 + 0.8 * (strength * shape).sum(0), 0, 1)
    tint = jnp.clip(0.5 + 1.2 * (strength * jnp.roll(shape, 1, 0)).sum(0), 0, 1) * 0.6
    ink, writes = _strokes(cells, width), natural.kind == KINDS.index("writing")
    return jnp.where(writes, 0.2 * tone, tone), jnp.where(writes, ink, tint)


def _strokes(cells: Vector, width: Float[Array, "r"]) -> Float[Array, "r"]:
    """Rows of words: strokes on a grid of seven to a cell, three to a row, with gaps between words and rows."""
    along, down = 7 * cells[0], 4 * (cells[1] + cells[2])  # on a flat face one of the two stands still
    row, column = jnp.floor(down), jnp.floor(along)
    part = jnp.floor(3 * (down - row) / 0.7)
    stroke = _random(column, row, part) < 0.6
    word = _random(jnp.floor(column / 6), row, jnp.full_like(row, -1)) < 0.8
    drawn = stroke & word & (part < 3) & (jnp.mod(column, 6) < 5)
    return _INK + (drawn - _INK) * jnp.clip(1.5 - 7 * width, 0, 1)


def _random(*cell: Float[Array, "r"]) -> Float[Array, "r"]:
    x, y, z = scatter(jnp.stack(cell))
    return hashed(x ^ y ^ z)
