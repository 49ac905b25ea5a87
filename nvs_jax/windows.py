"""Cutting latents into overlapping windows of equal size, and putting them together again."""

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
