"""A video's depth maps, one after the other: of a folder, of one array, or of a video of greys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.inputs.view import DepthFile
from nvs_jax.media import DEPTH_SUFFIXES, check_depth, files_in, open_video, read_depth
from nvs_jax.media.depth_stack import open_stack, read_maps
from nvs_jax.media.numpy_file import reading
from nvs_jax.media.photo import MAX_MEGAPIXELS
from nvs_jax.media.video import VIDEO_SUFFIXES
from nvs_jax.saying import say

ARRAYS = (".npy", ".npz")
_GREY = 24
"""Of 255: colours of a grey video differ by less, whatever its encoder did."""

Map = tuple[DepthFile, Float[np.ndarray, "h w"]]


class Maps(NamedTuple):
    """Depth maps of a video.

    Attributes:
        count: how many; None where only reading them tells.
        each: where each comes from, and the map.
    """

    count: int | None
    each: Iterator[Map]


@contextmanager
def open_maps(depth: DepthFile) -> Iterator[Maps]:
    """The maps at a path, in order; no more than one is in memory.

    Raises:
        InputError: neither a folder of maps, nor an array or a video of them; while maps are asked for, one that cannot
            be read.
    """
    path, suffix = depth.path, depth.path.suffix.lower()
    if path.is_dir():
        files = files_in(path, DEPTH_SUFFIXES)
        yield Maps(len(files), _of_files(depth, files))
    elif path.is_file() and suffix in ARRAYS:
        with reading(path, f"the {depth.kind} file"):
            stack = open_stack(path, depth.kind, MAX_MEGAPIXELS)
        name = "its array" if stack.name is None else f"'{stack.name}'"
        mask = "" if stack.mask is None else f", unknown where its '{stack.mask}' is false"
        say(f"{path}: {name} holds {stack.count} maps of {stack.size[0]}x{stack.size[1]} (height x width){mask}")
        yield Maps(stack.count, _of_array(depth, read_maps(stack)))
    elif path.is_file() and suffix in VIDEO_SUFFIXES:
        if depth.kind == "depth":
            raise InputError(f"{path}: a video's greys have no unit: give it with --depth-kind disparity")
        say(f"{path}: its greys are read as disparity in 256 steps; the program's .npz or .exr has more")
        with open_video(path) as clip:
            yield Maps(clip.count, ((depth, _grey(shot.picture, path)) for shot in clip.shots))
    else:
        raise InputError(f"{path} is not a folder of depth maps, nor an .npz, .npy or video of them")


def _of_files(depth: DepthFile, files: list[Path]) -> Iterator[Map]:
    for file in files:
        yield replace(depth, path=file), read_depth(file, depth.kind, png_scale=depth.png_scale)


def _of_array(depth: DepthFile, maps: Iterator[np.ndarray]) -> Iterator[Map]:
    index = 0
    while True:
        with reading(depth.path, f"the {depth.kind} file"):
            values = next(maps, None)
        if values is None:
            return
        yield replace(depth, index=index), check_depth(values, depth.kind, f"{depth.path}, map {index}")
        index += 1


def _grey(picture: np.ndarray, path: Path) -> Float[np.ndarray, "h w"]:
    values = picture.astype(np.float32)
    if np.abs(values - values.mean(-1, keepdims=True)).mean() > _GREY:
        raise InputError(f"{path}: a video of colours, made to look at; give the one of greys, *_depth.mp4")
    return check_depth(values.mean(-1), "disparity", path)
