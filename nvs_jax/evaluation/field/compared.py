"""Which part of every frame is compared: all of it, or the square in its middle, as SEVA's benchmark has it."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from nvs_jax.evaluation.field.samples import Task
from nvs_jax.media.cameras.views import from_corner, to_corner
from nvs_jax.media.fitting import Placement, fit, placement_of

Pictures = Float[np.ndarray, "_ _ _ 3"]
Part = Literal["all", "square"]


def compared(frames: Pictures, task: Task, part: Part, side: int | None = None) -> tuple[Pictures, Task]:
    """Frames, and what they are compared with, cut to the part that counts.

    Args:
        frames: [k, H, W, 3] in [0, 1].
        task: of them.
        part: all, or the square in the middle.
        side: of the smaller side of what is compared, to which it is resampled (Lanczos); None: it stays as it is.

    Returns:
        the frames, and a task whose truth, real pictures, holes and intrinsics are of the same part. What steers the
        video stays.
    """
    height, width = frames.shape[1:3]
    rows, columns = (min(height, width),) * 2 if part == "square" else (height, width)
    top, left = (height - rows) // 2, (width - columns) // 2
    scale = 1.0 if side is None else side / min(rows, columns)
    size = round(rows * scale), round(columns * scale)
    place = placement_of((rows, columns), *size, "crop")

    def cut(pictures: Pictures) -> Pictures:
        inner = pictures[:, top : top + rows, left : left + columns]
        return inner if size == (rows, columns) else np.stack([fit(picture, *size, "crop")[0] for picture in inner])

    holes = task.holes[:, top : top + rows, left : left + columns]
    return cut(frames), task._replace(
        truth=None if task.truth is None else cut(task.truth),
        real=cut(task.real),
        holes=holes if size == (rows, columns) else _shrunk(holes, size),
        intrinsics=_moved(task.intrinsics, left, top, place),
    )


def _shrunk(holes: Bool[np.ndarray, "k _ _"], size: tuple[int, int]) -> Bool[np.ndarray, "k _ _"]:
    """Masks at another size, by their nearest pixels."""
    rows, columns = ((np.arange(n) + 0.5) * old // n for n, old in zip(size, holes.shape[1:], strict=True))
    return holes[:, rows.astype(int)][:, :, columns.astype(int)]


def _moved(K: Float[np.ndarray, "k 3 3"], left: int, top: int, place: Placement) -> Float[np.ndarray, "k 3 3"]:
    """K, of pixel centres, of a part of its picture, resampled."""
    inner = to_corner(K) - np.array([[0, 0, left], [0, 0, top], [0, 0, 0]], K.dtype)
    return from_corner(place.intrinsics(inner))
