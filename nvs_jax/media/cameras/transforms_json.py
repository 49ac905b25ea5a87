"""transforms.json, of nerfstudio and instant-ngp, and the synthetic scenes of NeRF.

See https://docs.nerf.studio/quickstart/data_conventions.html: `transform_matrix` is camera-to-world with OpenGL's axes
(x right, y up, z backward).
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.media.atomic import atomic_path
from nvs_jax.media.cameras.files import (
    beside,
    check_frames,
    from_matrix,
    intrinsics,
    is_file,
    matrix,
    number,
    read_json,
)
from nvs_jax.media.cameras.ply import read_ply, write_ply
from nvs_jax.media.cameras.rotations import check_pose, from_opengl, invert, to_opengl
from nvs_jax.media.cameras.views import CameraSet, Matrix, Pose, PosedCamera
from nvs_jax.media.photo import photo_size

NAMES = ("transforms.json", "transforms_train.json")

_DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")
_PINHOLES = ("PINHOLE", "SIMPLE_PINHOLE", "OPENCV", "SIMPLE_RADIAL", "RADIAL", "FULL_OPENCV", "PERSPECTIVE")
# The synthetic scenes leave the suffix out.
_SUFFIXES = ("", ".png", ".jpg", ".jpeg", ".JPG", ".webp")
_POINTS_FILE = "sparse_pc.ply"


def read_transforms(path: str | os.PathLike[str]) -> CameraSet:
    """Read a transforms.json.

    Intrinsics are the frame's own, or the file's: `fl_x`, `fl_y`, `cx`, `cy`, `w`, `h`, or `camera_angle_x`. Where
    sizes are missing they are the picture's; a missing principal point is the picture's middle. `applied_transform`,
    which the file's maker multiplied the original poses (and points) by, is undone.

    Args:
        path: the file, or its folder. Pictures and depth maps are named relative to it.

    Raises:
        InputError: missing or malformed; no frames; a picture or depth map is missing; a lens with distortion.
    """
    file = Path(path)
    if file.is_dir():
        file = beside(file, "", NAMES) or file / NAMES[0]
    content = read_json(file)
    frames = content.get("frames") if isinstance(content, dict) else None
    if not isinstance(frames, list):
        raise InputError(f"{file}: must be an object with a list of 'frames'")
    check_frames(len(frames), file)
    undo = invert(_applied_transform(content, f"{file}: applied_transform"))
    cameras = tuple(_camera(frame, content, undo, file, index) for index, frame in enumerate(frames))
    if content.get("ply_file_path") is None:
        return CameraSet(cameras)
    points, colours = read_ply(_file(content["ply_file_path"], file, "ply_file_path", ("",)))
    return CameraSet(cameras, points @ undo[:3, :3].T + undo[:3, 3], colours)


def write_transforms(path: str | os.PathLike[str], cameras: CameraSet) -> None:
    """Write a transforms.json, and the points beside it as `sparse_pc.ply`.

    Args:
        path: of the .json file. Pictures and depth maps are named relative to its folder.
        cameras: all with pictures, of which the camera sees the whole.

    Raises:
        InputError: a camera without a picture or with a crop, or K with skew.
    """
    path = Path(path)
    content: dict[str, Any] = {"camera_model": "OPENCV"}
    lenses = [_lens(camera, f"camera {index}") for index, camera in enumerate(cameras.cameras)]
    shared = all(lens == lenses[0] for lens in lenses)
    content |= lenses[0] if shared else {}
    content["frames"] = [
        _frame(camera, path, index) | ({} if shared else lens)
        for index, (camera, lens) in enumerate(zip(cameras.cameras, lenses, strict=True))
    ]
    if cameras.points is not None:
        write_ply(path.with_name(_POINTS_FILE), cameras.points, cameras.colours)
        content["ply_file_path"] = _POINTS_FILE
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _camera(frame: Any, shared: Mapping[str, Any], undo: Pose, file: Path, index: int) -> PosedCamera:
    where = f"{file}: frame {index}"
    if not isinstance(frame, dict):
        raise InputError(f"{where} must be an object")
    picture = _file(frame.get("file_path"), file, f"{where}: file_path", _SUFFIXES)
    depth = frame.get("depth_file_path")
    K, (height, width) = _intrinsics({**shared, **frame}, picture, where)
    camera_to_world = matrix(frame.get("transform_matrix"), 4, 4, f"{where}: transform_matrix")
    return PosedCamera(
        pose=from_opengl(undo @ check_pose(camera_to_world, where)),
        intrinsics=K,
        height=height,
        width=width,
        picture=picture,
        depth=None if depth is None else _file(depth, file, f"{where}: depth_file_path", ("",)),
    )


def _intrinsics(values: Mapping[str, Any], picture: Path, where: str) -> tuple[Matrix, tuple[int, int]]:
    """K and (height, width)."""
    model = values.get("camera_model", "OPENCV")
    if model not in _PINHOLES:
        raise InputError(f"{where}: the camera_model is not a pinhole; undistort the pictures first")
    if values.get("is_fisheye") is True or any(abs(_optional(values, name, where)) > 1e-6 for name in _DISTORTION):
        raise InputError(f"{where}: the lens has distortion; undistort the pictures first (COLMAP's image_undistorter)")
    if values.get("w") is None or values.get("h") is None:
        height, width = photo_size(picture)
    else:
        height, width = (int(number(values[name], f"{where}: {name}")) for name in "hw")
    if "fl_x" in values:
        focal_x = number(values["fl_x"], f"{where}: fl_x")
    else:
        focal_x = _focal_of_angle(values.get("camera_angle_x"), width, f"{where}: fl_x is missing, so camera_angle_x")
    focal_y = _optional(values, "fl_y", where, focal_x)
    centre = (_optional(values, "cx", where, width / 2), _optional(values, "cy", where, height / 2))
    return intrinsics((focal_x, focal_y), centre, (height, width), where), (height, width)


def _focal_of_angle(angle: Any, width: int, where: str) -> float:
    """Focal length of a picture that spans `angle` (radians) from left to right."""
    if not 0 < number(angle, where) < math.pi:
        raise InputError(f"{where} must be between 0 and pi")
    return width / 2 / math.tan(angle / 2)


def _optional(values: Mapping[str, Any], name: str, where: str, default: float = 0.0) -> float:
    return default if values.get(name) is None else number(values[name], f"{where}: {name}")


def _applied_transform(content: Mapping[str, Any], where: str) -> Pose:
    value = content.get("applied_transform")
    if value is None:
        return np.eye(4)
    rows = len(value) if isinstance(value, list) and len(value) in (3, 4) else 3
    transform = np.eye(4)
    transform[:rows] = matrix(value, rows, 4, where)
    return check_pose(transform, where)


def _file(name: Any, file: Path, where: str, suffixes: tuple[str, ...]) -> Path:
    if not isinstance(name, str) or not name:
        raise InputError(f"{where} must name a file")
    found = beside(file.parent, name, suffixes) if not Path(name).is_absolute() else None
    if Path(name).is_absolute() and is_file(Path(name)):
        found = Path(name)
    if found is None:
        raise InputError(f"{where}: there is no file {name[:200]!r} beside {file.name}")
    return found


def _lens(camera: PosedCamera, where: str) -> dict[str, float | int]:
    if camera.crop is not None:
        raise InputError(f"{where}: sees a part of {camera.picture}; write that part as a picture first")
    K = from_matrix(camera.intrinsics.astype(np.float64), (camera.height, camera.width), where)
    focal = {"fl_x": float(K[0, 0]), "fl_y": float(K[1, 1])}
    centre = {"cx": float(K[0, 2]), "cy": float(K[1, 2])}
    return focal | centre | {"w": camera.width, "h": camera.height} | dict.fromkeys(("k1", "k2", "p1", "p2"), 0.0)


def _frame(camera: PosedCamera, path: Path, index: int) -> dict[str, Any]:
    if camera.picture is None:
        raise InputError(
            f"camera {index} has no picture, which this format needs; write poses or a COLMAP model instead"
        )
    pose = check_pose(camera.pose, f"camera {index}")
    frame = {"file_path": _relative(camera.picture, path), "transform_matrix": to_opengl(pose).tolist()}
    return frame | ({} if camera.depth is None else {"depth_file_path": _relative(camera.depth, path)})


def _relative(target: Path, path: Path) -> str:
    return Path(os.path.relpath(target, path.parent)).as_posix()
