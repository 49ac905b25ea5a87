"""Cutting latents into overlapping windows of equal size, and putting them together again."""

import math
from typing import NamedTuple

import jax
from jaxtyping import Array, Shaped


class Window(NamedTuple):
    """A rectangle of latent cells: its corner may be traced, its size is static."""

    row: Array | int
    column: Array | int
    height: int
    width: int

    def crop(self, x: Shaped[Array, "b f h w *c"]) -> Shaped[Array, "b f height width *c"]:
        """The part of `x` under the window."""
        x = jax.lax.dynamic_slice_in_dim(x, self.row, self.height, 2)
        return jax.lax.dynamic_slice_in_dim(x, self.column, self.width, 3)

    def paste(self, x: Shaped[Array, "b f h w *c"], part: Shaped[Array, "b f height width *c"]) -> Array:
        """`x` with the window replaced by `part`."""
        return jax.lax.dynamic_update_slice(x, part, (0, 0, self.row, self.column, *(0,) * (x.ndim - 4)))


def overlapping_windows(height: int, width: int, multiple: int, extra_rows: int = 0) -> tuple[Window, ...]:
    """Four windows, two by two, that cover height x width cells, listed so that the top and left ones come first.

    A window's side is 5/9 of the whole, rounded up to a multiple of `multiple`; at 72 x 128 cells and a multiple of 8
    these are the release's tiles for one view: rows [0:40], [32:72] and columns [0:72], [56:128].

    Args:
        height: rows of cells.
        width: columns of cells.
        multiple: what a network's input must be divisible by.
        extra_rows: the lower windows start this much higher; the release's for video and two views have 8.

    >>> [(w.row, w.column, w.height, w.width) for w in overlapping_windows(72, 128, 8)]
    [(0, 0, 40, 72), (0, 56, 40, 72), (32, 0, 40, 72), (32, 56, 40, 72)]
    """
    rows, columns = (min(n, multiple * math.ceil(5 * n / 9 / multiple)) for n in (height, width))
    lower = max(0, height - rows - extra_rows)
    return tuple(
        Window(row, column, tall, columns)
        for row, tall in ((0, rows), (lower, height - lower))
        for column in (0, width - columns)
    )
