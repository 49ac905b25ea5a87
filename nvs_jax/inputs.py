"""Folders of views as arrays: videos, warps made elsewhere. Posed scenes: `nvs_jax.posed_views`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from nvs_jax.errors import InputError
from nvs_jax.media import DEPTH_SUFFIXES, in_order, read_frames, read_video_file
from nvs_jax.settings import RenderSettings
from nvs_jax.views import (
    DepthFile,
    DepthSource,
    View,
    fit_views,
)

Frames = Float[np.ndarray, "f H W 3"]
MAX_FRAMES = 2000


def read_video(
    frames: Path, depth: DepthSource, settings: RenderSettings, multiple: int
) -> tuple[Frames, Float[np.ndarray, "f H W"], View]:
    """The frames of a video with their depth, and the first of them as a view.

    Args:
        frames: a folder of pictures, or a video file.
        depth: its path is a folder of as many depth maps, in the same order; or what estimates them.
        settings: picture and camera are used.
        multiple: rows and columns of the result are multiples of this.

    Raises:
        InputError: no frames, unequal sizes, or another number of depth maps.
    """
    photos = read_frames(frames) if frames.is_dir() else read_video_file(frames, MAX_FRAMES)
    depths: list[DepthSource] = [depth] * len(photos)
    if isinstance(depth, DepthFile):
        maps = _depth_files(depth.path)
        if len(maps) != len(photos):
            raise InputError(f"{frames} has {len(photos)} frames, but {depth.path} has {len(maps)} depth maps")
        depths = [replace(depth, path=path) for path in maps]
    views = fit_views(list(photos), depths, settings, multiple)
    return np.stack([view.picture for view in views]), np.stack([view.depth for view in views]), views[0]


def read_conditions(folder: Path, view: View, frames: int) -> tuple[Frames, Bool[np.ndarray, "f H W"]]:
    """Warps and holes made elsewhere, for every frame but the first, as a result folder holds them.

    Args:
        folder: with warps/ and holes/, a picture for every frame; white is a hole.
        view: the given view, whose size they must have.
        frames: how many the video has, the first included.

    Raises:
        InputError: another number or another size of pictures.
    """
    warps, holes = read_frames(folder / "warps"), read_frames(folder / "holes")
    for name, pictures in (("warps", warps), ("holes", holes)):
        if pictures.shape != (frames, *view.picture.shape):
            sizes = ["{}x{}x{}".format(*shape) for shape in (pictures.shape[:3], (frames, *view.depth.shape))]
            raise InputError(f"{folder / name} holds {sizes[0]} (frames, rows, columns), but the video is {sizes[1]}")
    return warps[1:], holes[1:, ..., 0] > 0.5


def _depth_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of depth maps")
    return in_order(path for path in folder.iterdir() if path.suffix.lower() in DEPTH_SUFFIXES)
