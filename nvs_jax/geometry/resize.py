"""Nearest-neighbour resizing, by the release's two rules. Depth must never be averaged across an edge."""

import numpy as np
from jaxtyping import Array, Shaped


def resize_picture(picture: Shaped[Array, "h w *c"], height: int, width: int) -> Shaped[Array, "height width *c"]:
    """Row i is taken from row floor((i + 0.5) H / height), and so for columns: pixels are areas."""
    return _resize(picture, height, width, offset=1)


def resize_depth(depth: Shaped[Array, "h w"], height: int, width: int) -> Shaped[Array, "height width"]:
    """Row i is taken from row floor(i H / height), and so for columns: pixels are points.

    Half a pixel off `resize_picture` where the two scales differ; so are the release's depth maps.
    """
    return _resize(depth, height, width, offset=0)


def _resize(x: Array, height: int, width: int, offset: int) -> Array:
    """`offset` is in halves of a new pixel. In whole numbers, so that no rounding decides."""
    rows = (2 * np.arange(height) + offset) * x.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + offset) * x.shape[1] // (2 * width)
    return x[rows[:, None], columns]
