"""Specks of unknown depth inside a surface take its depth; larger gaps, and those between surfaces, stay unknown.

Sensors lose single pixels. A warp that asks which neighbours lie on one surface would lose everything around them, too.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

LONGEST = 3
"""Unknown pixels in a row or a column that are filled."""

Ends = tuple[Float[Array, "h w"], Float[Array, "h w"]]
"""Inverse depth of the nearest known pixel on one side, and how far off it is; 0 where none is near."""


def fill_specks(
    inverse: Float[Array, "h w"], known: Bool[Array, "h w"], steepest: tuple[Float[Array, ""], Float[Array, ""]]
) -> Float[Array, "h w"]:
    """Inverse depth with specks filled.

    An unknown pixel is filled if the nearest known ones before and behind it, in its row or in its column, are at most
    `LONGEST` unknown ones apart and lie on one surface. It is given the inverse depth between them, which is linear on
    a plane; of row and column the shorter gap counts, if they are equal their mean. Differentiable.

    Args:
        inverse: 1/z, positive where known.
        known: which pixels are.
        steepest: the largest relative change of 1/z, from one row and from one column to the next, within a surface.

    Returns:
        1/z; 0 where it is still unknown.

    >>> row = jnp.array([[1.0, 0.0, 1.25, 0.0, 9.0]])
    >>> fill_specks(row, row > 0, (jnp.array(0.2), jnp.array(0.2))).tolist()
    [[1.0, 1.125, 1.25, 0.0, 9.0]]
    """
    inverse = jnp.where(known, inverse, 0)
    gaps = [_across(inverse, known, axis, limit) for axis, limit in enumerate(steepest)]
    shortest = jnp.minimum(gaps[0][1], gaps[1][1])
    uses = [jnp.isfinite(length) & (length == shortest) for _, length in gaps]
    total = sum(jnp.where(use, value, 0) for use, (value, _) in zip(uses, gaps, strict=True))
    return jnp.where(known, inverse, total / jnp.maximum(uses[0].astype(inverse.dtype) + uses[1], 1))


def _across(inverse: Array, known: Array, axis: int, steepest: Array) -> tuple[Array, Array]:
    """What a gap along an axis is filled with, and its length; infinite where it must not be."""
    (before, far_before), (behind, far_behind) = (_end(inverse, known, axis, step) for step in (1, -1))
    length = far_before + far_behind
    there = (far_before > 0) & (far_behind > 0) & (length <= LONGEST + 1)
    surface = jnp.abs(before - behind) <= steepest * length * jnp.minimum(before, behind)
    value = (before * far_behind + behind * far_before) / jnp.maximum(length, 1)
    return value, jnp.where(there & surface, length, jnp.inf)


def _end(inverse: Array, known: Array, axis: int, step: int) -> Ends:
    """The nearest known pixel before (`step` 1) or behind (-1) each."""
    value, distance = jnp.zeros_like(inverse), jnp.zeros_like(inverse)
    for away in range(LONGEST, 0, -1):
        near, there = (_shifted(x, away * step, axis) for x in (inverse, known))
        value, distance = jnp.where(there, near, value), jnp.where(there, away, distance)
    return value, distance


def _shifted(x: Array, by: int, axis: int) -> Array:
    """x moved `by` pixels along an axis; zeros come in."""
    size, away = x.shape[axis], min(abs(by), x.shape[axis])
    ends = [(0, 0), (0, 0)]
    ends[axis] = (away, 0) if by > 0 else (0, away)
    start = 0 if by > 0 else away
    return jnp.pad(lax.slice_in_dim(x, start, start + size - away, axis=axis), ends)
