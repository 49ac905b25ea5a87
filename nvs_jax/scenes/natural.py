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
_TINTS, _ELSEWHERE = 3, 57.3  # octaves of the tint, which are noise of their own: it says nothing about the tone
_COLUMNS, _ROWS, _STROKES = 7, 4, 3  # strokes along a cell, rows of writing in it, strokes above each other in a row
_HEIGHT, _LETTERS = 0.7, 5  # share of a row, and columns of a word before the one that is left as a gap
_STROKE, _WORD = 0.6, 0.8  # how likely each of them is there


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
    tone = jnp.clip(0.5 + 0.8 * _clouds(natural, cells, width, _OCTAVES), 0, 1)
    tint = jnp.clip(0.5 + 1.5 * _clouds(natural, cells + _ELSEWHERE, width, _TINTS), 0, 1) * 0.6
    ink, writes = _strokes(cells, width), natural.kind == KINDS.index("writing")
    return jnp.where(writes, 0.2 * tone, tone), jnp.where(writes, ink, tint)


def _clouds(natural: Natural, cells: Vector, width: Float[Array, "r"], count: int) -> Float[Array, "r"]:
    """So many octaves of noise about 0, of leaves cut into patches."""
    octave = jnp.arange(count, dtype=cells.dtype)[:, None]
    finer, octaves = width * 2.0**octave, octaves_of_noise(cells, count, 31.3)
    patches = jnp.clip(octaves / jnp.maximum(0.06, finer), -0.5, 0.5)
    shape = jnp.where(natural.kind == KINDS.index("leaves"), 0.6 * patches, octaves)
    return (jnp.clip(1.5 - 2.5 * finer, 0, 1) * natural.gain**octave * shape).sum(0)


def _strokes(cells: Vector, width: Float[Array, "r"]) -> Float[Array, "r"]:
    """Rows of words, which are strokes on a grid, with gaps between words and rows."""
    along, down = _COLUMNS * cells[0], _ROWS * (cells[1] + cells[2])  # on a flat face one of the two stands still
    row, column = jnp.floor(down), jnp.floor(along)
    part = jnp.floor(_STROKES * (down - row) / _HEIGHT)
    stroke = _random(column, row, part) < _STROKE
    word = _random(jnp.floor(column / (_LETTERS + 1)), row, jnp.full_like(row, -1)) < _WORD
    drawn = stroke & word & (part < _STROKES) & (jnp.mod(column, _LETTERS + 1) < _LETTERS)
    mean = _STROKE * _WORD * _HEIGHT * _LETTERS / (_LETTERS + 1)
    return mean + (drawn - mean) * jnp.clip(1.5 - _COLUMNS * width, 0, 1)


def _random(*cell: Float[Array, "r"]) -> Float[Array, "r"]:
    x, y, z = scatter(jnp.stack(cell))
    return hashed(x ^ y ^ z)
