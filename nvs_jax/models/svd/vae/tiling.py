"""The VAE a tile at a time: overlapping rectangles of equal size, blended where they overlap.

A tile's network sees nothing outside it: convolutions end at its border, and group norm and the middle block's
attention take in its pixels alone. So the result differs from that of the whole picture, most near seams, and the
blend hides the seams. One tile as large as the picture is exact.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from nvs_jax.errors import InputError


@dataclass(frozen=True)
class Tiles:
    """Size of a tile, in latent cells.

    Attributes:
        rows: of a tile.
        columns: of a tile.
        overlap: rows and columns that neighbours share, at least.
    """

    rows: int
    columns: int
    overlap: int

    def __post_init__(self):
        if not 0 <= self.overlap < min(self.rows, self.columns):
            raise InputError(
                f"VAE tiles of {self.rows}x{self.columns} latent cells cannot overlap by {self.overlap}: "
                "make memory.tile larger or memory.tile_overlap smaller"
            )


def tiles_of_pixels(size: tuple[int, int] | None, overlap: int, stride: int) -> Tiles | None:
    """Tiles of a size in pixels; None for the whole picture at once.

    Args:
        size: rows and columns of pixels.
        overlap: pixels that neighbours share.
        stride: pixels along each side of a latent cell.

    Raises:
        InputError: a size is not a multiple of the stride, or the overlap is not smaller than the tile.

    >>> tiles_of_pixels((320, 512), 64, 8)
    Tiles(rows=40, columns=64, overlap=8)
    """
    if size is None:
        return None
    if any(pixels % stride for pixels in (*size, overlap)):
        raise InputError(
            f"memory.tile {size[0]} {size[1]} and memory.tile_overlap {overlap} must be multiples of {stride}, "
            "the VAE's stride"
        )
    return Tiles(size[0] // stride, size[1] // stride, overlap // stride)


def in_tiles(
    function: Callable[[Array], Array],
    x: Float[Array, "b f h w c"],
    tile: tuple[int, int],
    overlap: int,
) -> Float[Array, "b f H W o"]:
    """`function` of every tile of `x`, one after the other; overlaps are blended by linear ramps.

    Args:
        function: takes [b, f, *tile, c]; every row and column in becomes as many rows and columns out, or every s
            rows and columns become one, s dividing `tile`, `overlap`, h and w.
        x: what is cut.
        tile: rows and columns of a tile; one that is larger than `x` is cut to it.
        overlap: rows and columns that neighbours share, at least.
    """
    b, f, height, width, c = x.shape
    rows, columns = min(tile[0], height), min(tile[1], width)
    part = jax.eval_shape(function, jax.ShapeDtypeStruct((b, f, rows, columns, c), x.dtype))
    scale = Fraction(part.shape[2], rows)
    # Tiles begin on the coarser of the two grids, so that each begins at a whole cell and at a whole pixel.
    unit = scale.denominator
    down = [_axis(size, side, overlap, unit, scale) for size, side in ((height, rows), (width, columns))]
    (from_rows, to_rows, row_weights), (from_columns, to_columns, column_weights) = down
    pairs = np.stack(np.meshgrid(np.arange(len(from_rows)), np.arange(len(from_columns)), indexing="ij"), -1)
    pairs = pairs.reshape(-1, 2)

    def add(canvas: Array, pair: Int[Array, "2"]) -> tuple[Array, None]:
        i, j = pair
        zero = jnp.zeros((), from_rows.dtype)
        cut = jax.lax.dynamic_slice(x, (zero, zero, from_rows[i], from_columns[j], zero), (b, f, rows, columns, c))
        weight = (row_weights[i][:, None] * column_weights[j])[..., None]
        corner = (zero, zero, to_rows[i], to_columns[j], zero)
        done = function(cut)
        there = jax.lax.dynamic_slice(canvas, corner, done.shape)
        return jax.lax.dynamic_update_slice(canvas, there + weight.astype(done.dtype) * done, corner), None

    canvas = jnp.zeros((b, f, int(height * scale), int(width * scale), part.shape[-1]), part.dtype)
    return jax.lax.scan(add, canvas, jnp.asarray(pairs))[0]


def _axis(
    size: int, tile: int, overlap: int, unit: int, scale: Fraction
) -> tuple[Int[Array, "n"], Int[Array, "n"], Float[Array, "n out"]]:
    """Where tiles begin along an axis, before and after the function, and their weights after it."""
    before = tile_starts(size // unit, tile // unit, overlap // unit) * unit
    after = np.array([int(start * scale) for start in before])
    weights = tile_weights(after, int(size * scale), int(tile * scale), int(overlap * scale))
    return jnp.asarray(before), jnp.asarray(after), jnp.asarray(weights, jnp.float32)


def tile_starts(size: int, tile: int, overlap: int) -> Int[np.ndarray, "n"]:
    """Where as few tiles as possible begin, evenly spread, to cover `size` with at least this overlap.

    >>> tile_starts(128, 64, 8).tolist(), tile_starts(64, 64, 8).tolist()
    ([0, 32, 64], [0])
    """
    if tile >= size:
        return np.zeros(1, int)
    count = math.ceil((size - overlap) / (tile - overlap))
    return np.linspace(0, size - tile, count).round().astype(int)


def tile_weights(starts: Int[np.ndarray, "n"], size: int, tile: int, overlap: int) -> Float[np.ndarray, "n tile"]:
    """How much each tile counts at each of its positions: a ramp of `overlap` at inner borders; they sum to 1.

    >>> tile_weights(np.array([0, 4]), 10, 6, 2).round(2).tolist()
    [[1.0, 1.0, 1.0, 1.0, 0.75, 0.25], [0.25, 0.75, 1.0, 1.0, 1.0, 1.0]]
    """
    position = np.arange(tile) + 0.5
    rising, falling = (np.minimum(1, side / max(overlap, 1)) for side in (position, tile - position))
    ones = np.ones(tile)
    ramps = np.stack(
        [
            np.minimum(rising if start > 0 else ones, falling if start + tile < size else ones)
            for start in starts.tolist()
        ]
    )
    total = np.zeros(size)
    for start, ramp in zip(starts.tolist(), ramps, strict=True):
        total[start : start + tile] += ramp
    return np.stack([ramp / total[start : start + tile] for start, ramp in zip(starts.tolist(), ramps, strict=True)])
