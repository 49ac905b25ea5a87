"""A scene in the .npz of a geometry model: its depth, cameras and pictures (VGGT, Depth Anything 3, MegaSaM)."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nvs_jax.disk.files import refuse_pointer
from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import check_frames, from_matrix, is_file, select
from nvs_jax.media.cameras.rotations import check_pose
from nvs_jax.media.cameras.views import CameraSet, PosedCamera
from nvs_jax.media.geometry_file import PATCH, Geometry, is_scene, read_geometry
from nvs_jax.media.numpy_file import reading
from nvs_jax.media.photo import PICTURE_SUFFIXES

NAMES = ("predictions.npz", "results.npz")
"""As VGGT's demo and Depth Anything 3 call them."""
_FOLDERS = ("images", "input_images", ".")


def geometry_model_file(folder: Path) -> Path | None:
    """The file of a geometry model in a folder, if it holds cameras."""
    found = next((folder / name for name in NAMES if is_file(folder / name)), None)
    return found if found is not None and _holds_scene(found) else None


def read_geometry_model(path: str | os.PathLike[str], chosen: Sequence[int] = ()) -> CameraSet:
    """Read the cameras of an .npz; its depth maps are in their units.

    Pictures are those in the file, at the network's resolution; where it has none those in `images` or `input_images`
    beside it, or of its own folder, in the order of their names, if they are as many.

    Args:
        path: of the file.
        chosen: which of the cameras, in this order, counted from 0; none: all.

    Raises:
        InputError: not such a file, cameras that cannot be right, or no pictures of them.
    """
    path = Path(path)
    refuse_pointer(path)
    if not _holds_scene(path):
        raise InputError(
            f"{path}: holds no cameras (extrinsic and intrinsic, an entry a depth map); a photo's or a video's depth "
            "goes to --depth of `nvs-jax single` or `nvs-jax video`"
        )
    with reading(path):
        geometry = read_geometry(path)
    assert geometry.poses is not None and geometry.intrinsics is not None
    count, (height, width) = geometry.maps.count, geometry.maps.size
    check_frames(count, path)
    pictures = [path] * count if geometry.pictures is not None else _beside(path, count)
    cameras = []
    for index in select(range(count), chosen, path):
        where = f"{path}: camera {index}"
        cameras.append(
            PosedCamera(
                pose=check_pose(geometry.poses[index], where),
                intrinsics=from_matrix(_without_dust(geometry.intrinsics[index]), (height, width), where),
                height=height,
                width=width,
                picture=pictures[index],
                depth=path,
                rounded_to=PATCH,
                index=index,
            )
        )
    return CameraSet(tuple(cameras), notes=(_note(geometry, pictures),))


def _note(geometry: Geometry, pictures: Sequence[Path]) -> str:
    maps = geometry.maps
    inside = geometry.pictures is not None
    which = f"those in it ('{geometry.pictures}')" if inside else f"{pictures[0]} and so on, by name"
    line = (
        f"{maps.path} is read as a geometry model's: {maps.count} cameras, and '{maps.name}' as depth in their units, "
        f"{maps.size[0]}x{maps.size[1]}; its pictures are {which}"
    )
    return line + ("; intrinsics are shares of the width and height" if geometry.normalised else "")


def _holds_scene(path: Path) -> bool:
    with reading(path):
        return is_scene(path)


def _beside(path: Path, count: int) -> list[Path]:
    for folder in (path.parent / name for name in _FOLDERS):
        if folder.is_dir():
            found = sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES)
            if len(found) == count:
                return found
    raise InputError(
        f"{path}: holds {count} cameras and no pictures; put the {count} pictures into a folder images/ beside it"
    )


def _without_dust(K: np.ndarray) -> np.ndarray:
    """K with zeros and one where a network's arithmetic left almost that."""
    rounded = np.where(np.abs(K) < 1e-6, 0.0, K)
    rounded[2, 2] = 1.0 if abs(K[2, 2] - 1) < 1e-6 else K[2, 2]
    return rounded
