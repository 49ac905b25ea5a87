"""Cameras and pictures in the .npz of a geometry model: VGGT, Depth Anything 3, MoGe and what writes as they do.

Arrays are told by their names and shapes, whichever program wrote them, of n pictures of h x w pixels:

- `extrinsic`, `extrinsics`: [n, 3, 4] or [n, 4, 4], world-to-camera with OpenCV's axes (VGGT, Depth Anything 3);
  `cam_c2w`: [n, 4, 4], camera-to-world (MegaSaM);
- `intrinsic`, `intrinsics`: [n, 3, 3] or one [3, 3], in pixels of the maps, or over their width and height (MoGe);
- `images`, `image`: [n, h, w, 3] bytes (Depth Anything 3), or [n, 3, h, w] from 0 to 1 (VGGT);
- depth and `mask`: `nvs_jax.media.depth_stack`.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from nvs_jax.errors import InputError
from nvs_jax.media.depth_stack import MOST_MAPS, NAMES, Stack, open_stack
from nvs_jax.media.numpy_file import (
    member_names,
    open_member,
    read_header,
    read_values,
    reading,
    skip,
    small_array,
)
from nvs_jax.media.photo import MAX_MEGAPIXELS, Picture, as_float

POSES = {"extrinsic": "world-to-camera", "extrinsics": "world-to-camera", "cam_c2w": "camera-to-world"}
INTRINSICS = ("intrinsic", "intrinsics")
PICTURES = ("images", "image")
PATCH = 14
"""Such networks see pictures whose sides were rounded to multiples of this."""
_MOST_BYTES = 2**16


@dataclass(frozen=True, eq=False)
class Geometry:
    """What a file holds beside its maps.

    Attributes:
        maps: of depth.
        intrinsics: K in pixels of the maps, (0, 0) their upper left corner; None: the file has none.
        poses: world-to-camera; None: the file has none.
        pictures: the name of the array of pictures; None: the file has none.
        normalised: whether the file has its intrinsics over the width and height.
    """

    maps: Stack
    intrinsics: Float[np.ndarray, "n 3 3"] | None
    poses: Float[np.ndarray, "n 4 4"] | None
    pictures: str | None
    normalised: bool = False


def is_scene(path: Path) -> bool:
    """Whether an .npz holds cameras with their poses."""
    names = member_names(path)
    return any(name in names for name in POSES) and any(name in names for name in INTRINSICS)


def read_geometry(path: Path, max_megapixels: int | float = MAX_MEGAPIXELS) -> Geometry:
    """What an .npz of depth says of its cameras; of maps and pictures the headers alone are read.

    Raises:
        InputError: no depth, or cameras that are not of its maps. Damage: see `numpy_file.DAMAGE`.
    """
    maps = open_stack(path, "depth", max_megapixels)
    names = member_names(path)
    found = _first(POSES, names)
    poses = None
    if found is not None:
        values = _cameras(path, found, maps.count, (3, 4), (4, 4))
        poses = np.tile(np.eye(4), (maps.count, 1, 1))
        poses[:, : values.shape[1]] = values
        poses = np.linalg.inv(poses) if POSES[found] == "camera-to-world" else poses
    K, normalised, found = None, False, _first(INTRINSICS, names)
    if found is not None:
        K = _cameras(path, found, maps.count, (3, 3))
        # No lens has a focal length of a few pixels, and none one of that many widths.
        normalised = bool(np.abs(K[:, :2, 2]).max() <= 1.5 and K[:, 0, 0].max() < 20)
        if normalised:
            K = K * np.array([[maps.size[1]], [maps.size[0]], [1.0]])
    return Geometry(maps, K, poses, _first(PICTURES, names), normalised)


def recorded_focal(path: Path) -> tuple[float | None, Path]:
    """The focal length, over the width, of the picture whose depth a file holds; and the file that says so.

    Args:
        path: an .npz with intrinsics; or any file of depth with a fov.json beside it, as MoGe writes for one picture:
            `fov_x`, in degrees.

    Raises:
        InputError: what is there is none.
    """
    if path.suffix.lower() == ".npz":
        with reading(path):
            names = member_names(path)
            if _first(INTRINSICS, names) is None or all(name not in names for name in NAMES["depth"]):
                return None, path
            geometry = read_geometry(path)
        assert geometry.intrinsics is not None
        return _sound(float(geometry.intrinsics[0, 0, 0]) / geometry.maps.size[1], path), path
    said = path.parent / "fov.json"
    if path.stem != "depth" or not said.is_file():
        return None, path
    try:
        degrees = float(json.loads(said.read_bytes()[:_MOST_BYTES])["fov_x"])
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise InputError(f"{said}: holds no fov_x, the angle of view in degrees") from error
    if not 0.1 <= degrees <= 179:
        raise InputError(f"{said}: fov_x must be an angle from 0.1 to 179 degrees, not {degrees:g}")
    return 0.5 / math.tan(math.radians(degrees) / 2), said


def _sound(focal: float, path: Path) -> float:
    if not 0.01 <= focal <= 1000:
        raise InputError(f"{path}: a focal length of {focal:g} of the width is none; give --camera.focal")
    return focal


def stored_picture(path: Path, index: int, max_megapixels: int | float = MAX_MEGAPIXELS) -> Picture:
    """A picture in an .npz of a geometry model, in [0, 1].

    Raises:
        InputError: it has none, of another shape or kind of numbers, or too large.
    """
    with reading(path):
        name = _first(PICTURES, member_names(path))
    if name is None:
        raise InputError(f"{path}: holds no pictures")
    with reading(path), open_member(path, name) as stream:
        header = read_header(stream)
        shape = header.shape[1:] if len(header.shape) == 5 and header.shape[0] == 1 else header.shape
        sound = header.is_sound and len(shape) == 4 and 3 in (shape[1], shape[3]) and not header.fortran
        if not sound or (header.dtype.kind != "f" and header.dtype != np.uint8) or not 0 <= index < shape[0]:
            raise InputError(f"{path}: '{name}' must be pictures [n, h, w, 3] or [n, 3, h, w], not {header.shape}")
        size = int(np.prod(shape[1:]))
        if size > max_megapixels * 3e6:
            raise InputError(f"{path}: pictures of more than {max_megapixels:g} megapixels")
        skip(stream, index * size * header.dtype.itemsize)
        values = read_values(stream, header, path, shape[1:])
    picture = as_float(values if shape[3] == 3 else np.moveaxis(values, 0, -1)).astype(np.float32)
    if not (np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1):
        raise InputError(f"{path}: '{name}' must be bytes, or numbers from 0 to 1")
    return picture


def _first(wanted: Sequence[str] | dict[str, str], names: Sequence[str]) -> str | None:
    return next((name for name in wanted if name in names), None)


def _cameras(path: Path, name: str, count: int, *shapes: tuple[int, int]) -> Float[np.ndarray, "n r c"]:
    """A matrix a map; one alone is of all maps."""
    values: Shaped[np.ndarray, "..."] = small_array(path, name, 16 * min(count, MOST_MAPS))
    values = values.astype(np.float64)
    if values.shape[-2:] not in shapes or values.size not in (
        count * values.shape[-1] * values.shape[-2],
        values.shape[-1] * values.shape[-2],
    ):
        shown = " or ".join(f"[{count}, {rows}, {columns}]" for rows, columns in shapes)
        raise InputError(f"{path}: '{name}' must be {shown}, a matrix a map, not {values.shape}")
    if not np.isfinite(values).all():
        raise InputError(f"{path}: '{name}' holds numbers that are not finite")
    return np.broadcast_to(values.reshape(-1, *values.shape[-2:]), (count, *values.shape[-2:])).copy()
