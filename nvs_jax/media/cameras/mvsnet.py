"""Scenes as MVSNet and its successors read them: Tanks and Temples, DTU's test scans, BlendedMVS.

`cams/00000000_cam.txt` holds world-to-camera poses and intrinsics of the picture `images/00000000.jpg`, at its size;
BlendedMVS calls the pictures' folder `blended_images`, and has depth maps in `rendered_depth_maps`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import beside, check_frames, floats, from_matrix, is_file, read_text, select
from nvs_jax.media.cameras.rotations import check_pose
from nvs_jax.media.cameras.views import CameraSet, Matrix, Pose, PosedCamera
from nvs_jax.media.photo import photo_size

_FOLDERS = ("cams", "cams_1")
_ENDING = "_cam.txt"
_PICTURES = ("images", "blended_images")
_DEPTHS = ("rendered_depth_maps",)
_SUFFIXES = (".jpg", ".png", ".jpeg")


def read_mvsnet(path: str | os.PathLike[str], chosen: Sequence[int] = ()) -> CameraSet:
    """Read a folder with cams/ and images/.

    Args:
        path: the folder.
        chosen: which of the cameras, in this order, counted from 0; none: all.

    Returns:
        cameras sorted by name; depth where BlendedMVS has it.

    Raises:
        InputError: no camera file there, a malformed one, or one without its picture.
    """
    folder = Path(path)
    files = mvsnet_files(folder)
    if not files:
        raise InputError(f"{folder}: no cameras of MVSNet here: cams/00000000_cam.txt and so on")
    check_frames(len(files), folder)
    return CameraSet(tuple(_camera(folder, file) for file in select(files, chosen, folder)))


def mvsnet_files(folder: Path) -> list[Path]:
    """The camera files of a scene, by their names."""
    places = (place for name in _FOLDERS if (place := folder / name).is_dir())
    found = ([file for file in sorted(place.glob(f"*{_ENDING}")) if is_file(file)] for place in places)
    return next((files for files in found if files), [])


def parse_camera(file: Path) -> tuple[Pose, Matrix]:
    """The pose in a camera file of MVSNet, not yet checked, and its intrinsics, of whatever size.

    Raises:
        InputError: not the words and numbers of one.
    """
    words = read_text(file, 2**16).split()
    if len(words) < 27 or (words[0], words[17]) != ("extrinsic", "intrinsic"):
        raise InputError(f"{file}: must be 'extrinsic', 16 numbers, 'intrinsic' and 9 numbers")
    return floats(words[1:17], str(file)).reshape(4, 4), floats(words[18:27], str(file)).reshape(3, 3)


def _camera(folder: Path, file: Path) -> PosedCamera:
    pose, K = parse_camera(file)
    name = file.name.removesuffix(_ENDING)
    picture = _beside(folder, _PICTURES, name, _SUFFIXES)
    if picture is None:
        raise InputError(f"{file}: its picture, images/{name}.jpg or .png, is missing")
    height, width = photo_size(picture, as_stored=True)
    K = from_matrix(K, (height, width), str(file))
    if not (0 < K[0, 2] < width and 0 < K[1, 2] < height):
        raise InputError(
            f"{file}: its principal point {K[0, 2]:g}, {K[1, 2]:g} lies outside of {picture.name} of {height}x{width} "
            "(height x width): use the pictures that the cameras were made for, at their size"
        )
    depth = _beside(folder, _DEPTHS, name, (".pfm",))
    return PosedCamera(check_pose(pose, str(file)), K, height, width, picture, depth)


def _beside(folder: Path, places: Sequence[str], name: str, suffixes: Sequence[str]) -> Path | None:
    return next((found for place in places if (found := beside(folder / place, name, suffixes))), None)
