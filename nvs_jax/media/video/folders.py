"""Folders of numbered pictures. What they hold is judged from headers before any pixel takes memory."""

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.media.photo import (
    MAX_MEGAPIXELS,
    PICTURE_SUFFIXES,
    UNREAD_SUFFIXES,
    check_megapixels,
    photo_size,
    read_photo,
)
from nvs_jax.media.video.clips import Clip, Shot

Frames = Float[np.ndarray, "_ _ _ 3"]

MAX_TOTAL_MEGAPIXELS = 1000.0
"""Of all pictures of a folder that are in memory together: 12 GB in float32, 1700 frames of 576x1024."""


def files_in(folder: str | os.PathLike[str], suffixes: Collection[str]) -> list[Path]:
    """The files of a folder with one of these endings, in the order of the numbers in their names.

    What macOS writes beside a file on other systems' disks (`._NAME`) has its ending, too, and is left out.
    """
    return in_order(
        path
        for path in Path(folder).iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith("._") and path.is_file()
    )


def frame_files(folder: str | os.PathLike[str]) -> list[Path]:
    """The pictures of a folder in the order of the numbers in their names (frame_2 before frame_10).

    Raises:
        InputError: no such folder, no pictures in it, or some of a kind that cannot be read.
    """
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; a video is given as a folder of its frames")
    unread = files_in(folder, UNREAD_SUFFIXES)
    if unread:
        raise InputError(f"{unread[0]}: HEIC pictures cannot be read; convert them to JPEG or PNG")
    paths = files_in(folder, PICTURE_SUFFIXES)
    if not paths:
        raise InputError(f"{folder}: no pictures in this folder")
    return paths


def folder_shape(
    folder: str | os.PathLike[str], *, max_megapixels: int | float = MAX_MEGAPIXELS
) -> tuple[int, int, int]:
    """Frames, rows and columns of a folder of frames, from the headers of the pictures.

    Raises:
        InputError: see `frame_files`; or pictures of different sizes, or too large.
    """
    paths = frame_files(folder)
    return (len(paths), *_common_size(paths, max_megapixels))


def read_frames(folder: str | os.PathLike[str]) -> Frames:
    """Read a folder of pictures in the order of the numbers in their names (frame_2 before frame_10).

    Raises:
        InputError: no such folder, no pictures in it, pictures of different sizes, or more than memory is for.
    """
    paths = frame_files(folder)
    rows, columns = _common_size(paths, MAX_MEGAPIXELS)
    check_total(folder, len(paths), (rows, columns))
    frames = np.empty((len(paths), rows, columns, 3), np.float32)
    for index, path in enumerate(paths):
        frames[index] = read_photo(path)
    return frames


def folder_clip(folder: str | os.PathLike[str], *, max_megapixels: int | float = MAX_MEGAPIXELS) -> Clip:
    """A folder of frames as a video; it knows no times.

    Raises:
        InputError: see `folder_shape`.
    """
    paths = frame_files(folder)
    size = _common_size(paths, max_megapixels)
    return Clip(size, len(paths), None, (Shot(read_photo(path, max_megapixels=max_megapixels)) for path in paths))


def check_total(name: str | os.PathLike[str], frames: int, size: tuple[int, int]) -> None:
    """Raise an InputError if so many frames of `size`, rows and columns, are more than is read at once."""
    total = frames * size[0] * size[1] / 1e6
    if total > MAX_TOTAL_MEGAPIXELS:
        raise InputError(
            f"{name}: {frames} frames of {size[1]}x{size[0]} are {total:.0f} megapixels, "
            f"more than {MAX_TOTAL_MEGAPIXELS:g}; make them smaller or fewer"
        )


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Sort files as people number them.

    >>> [path.name for path in in_order([Path("frame_10.png"), Path("frame_9.png"), Path("a.png")])]
    ['a.png', 'frame_9.png', 'frame_10.png']
    """

    def words(path: Path) -> list[tuple[int, int, str]]:
        pieces = re.findall(r"[0-9]+|[^0-9]+", path.name)
        return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces]

    return sorted(paths, key=words)


def _common_size(paths: list[Path], max_megapixels: int | float) -> tuple[int, int]:
    """Rows and columns of all the pictures."""
    rows, columns = photo_size(paths[0])
    check_megapixels(columns, rows, max_megapixels, paths[0])
    for path in paths[1:]:
        h, w = photo_size(path)
        if (h, w) != (rows, columns):
            raise InputError(f"{path}: {w}x{h}, but {paths[0].name} is {columns}x{rows}; all frames must have one size")
    return rows, columns
