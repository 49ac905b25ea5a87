"""Masks of pixels, and what is around a pixel."""

from functools import reduce

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Shaped

from nvs_jax.errors import InputError


def dilate(mask: Bool[Array, "h w"], size: int) -> Bool[Array, "h w"]:
    """Grow what is True by a square of `size` pixels; outside the picture nothing is True.

    Args:
        mask: pixels.
        size: side of the square, odd; 1 leaves the mask as it is. The release grows holes by 5.

    Raises:
        InputError: `size` is even or less than 1.
    """
    if size < 1 or size % 2 == 0:
        raise InputError(f"a mask is dilated by an odd number of pixels, 1 or more, not by {size}")
    return _widest(mask, size)


def smallest_around(x: Float[Array, "h w"], size: int) -> Float[Array, "h w"]:
    """The smallest value within a square of `size` pixels (odd) around each pixel; outside there is nothing."""
    return -_widest(-x, size)


def smoothstep(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """0 up to 0, 1 from 1 on, with slopes of 0 there.

    >>> print(smoothstep(jnp.array([-1.0, 0.25, 0.5, 2.0])))
    [0.      0.15625 0.5     1.     ]
    """
    x = jnp.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def cell_means(values: Shaped[Array, "n H W"], side: int) -> Float[Array, "n h w"]:
    """Means over squares of so many pixels a side, into which pictures divide.

    >>> print(cell_means(jnp.array([[[1.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 8.0]]]), 2))
    [[[1. 2.]]]
    """
    n, height, width = values.shape
    return values.reshape(n, height // side, side, width // side, side).mean((2, 4))


def _widest(x: Shaped[Array, "h w"], size: int) -> Shaped[Array, "h w"]:
    """Maximum over a square. Shifted copies: `lax.reduce_window` takes a hundred times as long on a CPU."""
    lowest = False if x.dtype == bool else -jnp.inf
    for axis in (0, 1):
        ends = [(0, 0), (0, 0)]
        ends[axis] = (size // 2, size // 2)
        padded = jnp.pad(x, ends, constant_values=lowest)
        shifted = [lax.slice_in_dim(padded, first, first + x.shape[axis], axis=axis) for first in range(size)]
        x = reduce(jnp.maximum, shifted)
    return x
