"""Telling from its files which kind of scene a folder holds."""

import os
from collections.abc import Sequence
from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import tanks, transforms_json
from nvs_jax.media.cameras.colmap import model_folder, read_colmap
from nvs_jax.media.cameras.dtu import camera_files, read_dtu
from nvs_jax.media.cameras.files import beside, is_file
from nvs_jax.media.cameras.geometry_model import NAMES as GEOMETRY_NAMES
from nvs_jax.media.cameras.geometry_model import geometry_model_file, read_geometry_model
from nvs_jax.media.cameras.mvsnet import mvsnet_files, read_mvsnet
from nvs_jax.media.cameras.views import CameraSet
from nvs_jax.media.photo import PICTURE_SUFFIXES, UNREAD_SUFFIXES
from nvs_jax.media.video.folders import files_in


def bare_photos(path: Path) -> list[Path]:
    """The photos of a folder that holds photos and no cameras, in the order of their names; else none.

    Raises:
        InputError: there are some of a kind that cannot be read.
    """
    if not path.is_dir() or has_cameras(path):
        return []
    unread = files_in(path, UNREAD_SUFFIXES)
    if unread:
        raise InputError(f"{unread[0]}: HEIC pictures cannot be read; convert them to JPEG or PNG")
    return sorted(
        file for file in path.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith(".")
    )


def has_cameras(path: Path) -> bool:
    """Whether a folder holds cameras of any kind, also of one that is not read."""
    return bool(
        beside(path, "", (*transforms_json.NAMES, *GEOMETRY_NAMES, "poses_bounds.npy", *tanks.NAMES))
        or model_folder(path)
        or camera_files(path)
        or mvsnet_files(path)
    )


def read_cameras(
    path: str | os.PathLike[str], chosen: Sequence[int] = (), *, points: bool = True, depth: bool = True
) -> CameraSet:
    """Read the cameras of a scene, whichever of these it is, the first that fits.

    - a folder with transforms.json or transforms_train.json, or any .json file: `read_transforms`;
    - a folder with cameras.bin or cameras.txt in it, in `sparse/0` or in `sparse`: `read_colmap`;
    - a folder with Rs.npy, ts.npy and Ks.npy: `read_tanks`;
    - a folder with .txt files that begin with `extrinsic`: `read_dtu`;
    - a folder with cams/00000000_cam.txt and so on: `read_mvsnet`;
    - any .npz file, or a folder with predictions.npz or results.npz: `read_geometry_model`.

    Args:
        path: of the folder or the file.
        chosen: which of the cameras, in this order, counted from 0; none: all. Pictures of others need not be there.
        points: whether to read the points, too; without, their file need not be there.
        depth: whether the depth maps that a transforms.json names are wanted; without, they need not be there.

    Raises:
        InputError: none of these, a camera that is not there, or the reader's own.
    """
    path = Path(path)
    if is_file(path) and path.suffix.lower() == ".json":
        return transforms_json.read_transforms(path, chosen, points=points, depth=depth)
    if is_file(path) and path.suffix.lower() == ".npz":
        return read_geometry_model(path, chosen)
    if is_file(path):
        raise InputError(f"{path}: holds no cameras; point at a transforms.json, an .npz or a scene's folder")
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder")
    if beside(path, "", transforms_json.NAMES):
        return transforms_json.read_transforms(path, chosen, points=points, depth=depth)
    if model_folder(path):
        return read_colmap(path, chosen=chosen, points=points)
    if all(is_file(path / name) for name in tanks.NAMES):
        return tanks.read_tanks(path, chosen=chosen)
    if camera_files(path):
        return read_dtu(path, chosen)
    if mvsnet_files(path):
        return read_mvsnet(path, chosen)
    if (found := geometry_model_file(path)) is not None:
        return read_geometry_model(found, chosen)
    if is_file(path / "poses_bounds.npy"):
        raise InputError(
            f"{path}: LLFF's poses_bounds.npy is not read; add the COLMAP model it was made from (sparse/0), or a "
            f"{transforms_json.NAMES[0]}"
        )
    if bare_photos(path / "images"):
        raise InputError(f"{path}: no cameras found; `nvs-jax views {path / 'images'}` finds those of the photos")
    raise InputError(
        f"{path}: no cameras found; looked for {' or '.join(transforms_json.NAMES)}, a COLMAP model (cameras.bin or "
        f"cameras.txt, also in sparse/0), {', '.join(tanks.NAMES)}, .txt files that begin with 'extrinsic' (DTU), "
        f"cams/00000000_cam.txt (MVSNet), and {' or '.join(GEOMETRY_NAMES)} of a geometry model"
    )
