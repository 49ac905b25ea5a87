"""DTU scenes as MVSNet prepared them: cameras and depth maps of the middle part of every picture.

MVSNet halved the pictures of 1200x1600 (height x width), cut 512x640 out of their middle, and wrote intrinsics for
depth maps of 128x160, a quarter of that. As the release, intrinsics are read times 4, for 512x640.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import beside, check_frames, from_matrix, is_file, select
from nvs_jax.media.cameras.mvsnet import parse_camera
from nvs_jax.media.cameras.rotations import check_pose
from nvs_jax.media.cameras.views import CameraSet, PosedCamera
from nvs_jax.media.photo import photo_size

_DOWNSCALED = 4
_PART = (512, 640)
_HALVED = (600, 800)
_PICTURES = (".jpg", ".png", ".jpeg")
_DEPTHS = (".npy", ".pfm")  # the release's order


def read_dtu(path: str | os.PathLike[str], chosen: Sequence[int] = ()) -> CameraSet:
    """Read a folder of 000001.txt, 000001.jpg, 000001.pfm and so on.

    The camera sees the part of the picture that MVSNet kept: `crop` where the file holds the whole picture. The
    release ignores that, and stretches the whole picture over a camera and a depth map of its middle part; leave
    `crop` aside to do the same.

    Args:
        path: the folder.
        chosen: which of the cameras, in this order, counted from 0; none: all.

    Returns:
        cameras sorted by name, for pictures of 512x640; depth where a file has it.

    Raises:
        InputError: no camera file there, a malformed one, or one without its picture.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    files = camera_files(folder)
    if not files:
        raise InputError(f"{folder}: no DTU cameras here: .txt files that begin with 'extrinsic'")
    check_frames(len(files), folder)
    return CameraSet(tuple(_camera(file) for file in select(files, chosen, folder)))


def camera_files(folder: Path) -> list[Path]:
    """The camera files in a folder: .txt files that begin with the word `extrinsic`."""
    return [file for file in sorted(folder.glob("*.txt")) if is_file(file) and _begins_a_camera(file)]


def _begins_a_camera(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(64).split()[:1] == [b"extrinsic"]
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error


def _camera(file: Path) -> PosedCamera:
    pose, K = parse_camera(file)
    K = from_matrix(K, _PART, str(file))
    if not (0 < K[0, 2] * _DOWNSCALED < _PART[1] and 0 < K[1, 2] * _DOWNSCALED < _PART[0]):
        raise InputError(f"{file}: the intrinsics are not for 128x160, as MVSNet's cameras of DTU for training are")
    picture = beside(file.parent, file.stem, _PICTURES)
    if picture is None:
        raise InputError(f"{file}: its picture, {file.stem}.jpg or .png, is missing")
    return PosedCamera(
        pose=check_pose(pose, str(file)),
        intrinsics=K * np.array([[_DOWNSCALED], [_DOWNSCALED], [1.0]]),
        height=_PART[0],
        width=_PART[1],
        picture=picture,
        depth=beside(file.parent, file.stem, _DEPTHS),
        crop=_crop(picture),
    )


def _crop(picture: Path) -> tuple[int, int, int, int] | None:
    """Where the part of 512x640 lies in the picture; None where the file holds nothing else."""
    height, width = photo_size(picture, as_stored=True)
    if height * _PART[1] == width * _PART[0]:
        return None
    if height * _HALVED[1] != width * _HALVED[0]:
        raise InputError(f"{picture}: {height}x{width} (height x width) is neither DTU's 1200x1600 nor 512x640")
    scale = height / _HALVED[0]
    part_height, part_width = round(_PART[0] * scale), round(_PART[1] * scale)
    return (width - part_width) // 2, (height - part_height) // 2, part_width, part_height
