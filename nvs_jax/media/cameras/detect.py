"""Telling from its files which kind of scene a folder holds."""

import os
from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import tanks, transforms_json
from nvs_jax.media.cameras.colmap import model_folder, read_colmap
from nvs_jax.media.cameras.dtu import camera_files, read_dtu
from nvs_jax.media.cameras.files import beside, is_file
from nvs_jax.media.cameras.views import CameraSet


def read_cameras(path: str | os.PathLike[str]) -> CameraSet:
    """Read the cameras of a scene, whichever of these it is, the first that fits.

    - a folder with transforms.json or transforms_train.json, or any .json file: `read_transforms`;
    - a folder with cameras.bin or cameras.txt in it, in `sparse/0` or in `sparse`: `read_colmap`;
    - a folder with Rs.npy, ts.npy and Ks.npy: `read_tanks`;
    - a folder with .txt files that begin with `extrinsic`: `read_dtu`.

    Raises:
        InputError: none of these, or the reader's own.
    """
    path = Path(path)
    if is_file(path) and path.suffix.lower() == ".json":
        return transforms_json.read_transforms(path)
    if is_file(path):
        raise InputError(f"{path}: holds no cameras; point at a transforms.json or at a scene's folder")
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder")
    if beside(path, "", transforms_json.NAMES):
        return transforms_json.read_transforms(path)
    if model_folder(path):
        return read_colmap(path)
    if all(is_file(path / name) for name in tanks.NAMES):
        return tanks.read_tanks(path)
    if camera_files(path):
        return read_dtu(path)
    raise InputError(
        f"{path}: no cameras found; looked for {' or '.join(transforms_json.NAMES)}, a COLMAP model (cameras.bin or "
        f"cameras.txt, also in sparse/0), {', '.join(tanks.NAMES)}, and .txt files that begin with 'extrinsic' (DTU)"
    )
