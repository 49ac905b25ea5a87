"""transforms.json, of nerfstudio and instant-ngp, and the synthetic scenes of NeRF.

See https://docs.nerf.studio/quickstart/data_conventions.html: `transform_matrix` is camera-to-world with OpenGL's axes
(x right, y up, z backward).
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import (
    beside,
    check_frames,
    from_matrix,
    matrix,
    names_in,
    number,
    read_json,
    select,
)
from nvs_jax.media.cameras.ply import read_ply, write_ply
from nvs_jax.media.cameras.rotations import check_pose, from_opengl, invert, to_opengl
from nvs_jax.media.cameras.transforms_lens import check_undistorted, lens
from nvs_jax.media.cameras.views import CameraSet, DepthUnit, Pose, PosedCamera
from nvs_jax.media.photo import photo_size

NAMES = ("transforms.json", "transforms_train.json")

# The synthetic scenes leave the suffix out.
_SUFFIXES = ("", ".png", ".jpg", ".jpeg", ".webp", ".PNG", ".JPG", ".JPEG")
# What a step of its depth maps is worth: instant-ngp's, of whole numbers, and nerfstudio's, of any.
_INTEGER_UNIT, _UNIT = "integer_depth_scale", "depth_unit_scale_factor"
_DEPTHS = ("depth_file_path", "depth_path")
_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:")
_POINTS_FILE = "sparse_pc.ply"


def read_transforms(
    path: str | os.PathLike[str], chosen: Sequence[int] = (), *, points: bool = True, depth: bool = True
) -> CameraSet:
    """Read a transforms.json.

    Intrinsics are the frame's own, or the file's: see `nvs_jax.media.cameras.transforms_lens`. Sizes that are missing
    are the pictures', as they are stored; a missing principal point is the picture's middle. `applied_transform`, which
    the file's maker multiplied the original poses (and points) by, is undone.

    Args:
        path: the file, or its folder. Pictures and depth maps are named relative to it.
        chosen: which of the frames, in this order, counted from 0; none: all. Files of others need not be there.
        points: whether to read the points; without, their file need not be there.
        depth: whether depth maps are wanted; without, they are left out and need not be there.

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
    taken = select(list(enumerate(frames if depth else map(_without_depth, frames))), chosen, file)
    cameras = tuple(_camera(frame, content, undo, file, index) for index, frame in taken)
    names = tuple(_name(frame.get("file_path")) for frame in frames if isinstance(frame, dict))
    if content.get("ply_file_path") is None or not points:
        return CameraSet(cameras, names=names)
    positions, colours = read_ply(_file(content["ply_file_path"], file, "ply_file_path", ("",)))
    return CameraSet(cameras, positions @ undo[:3, :3].T + undo[:3, 3], colours, names=names)


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
    values = {**shared, **frame}
    check_undistorted(values, where)
    if values.get("w") is None or values.get("h") is None:
        height, width = photo_size(picture, as_stored=True)
    else:
        height, width = (int(number(values[name], f"{where}: {name}")) for name in "hw")
    camera_to_world = matrix(frame.get("transform_matrix"), 4, 4, f"{where}: transform_matrix")
    named = next((name for name in _DEPTHS if frame.get(name) is not None), None)
    depth = None if named is None else _file(frame[named], file, f"{where}: {named}", ("",))
    return PosedCamera(
        pose=from_opengl(undo @ check_pose(camera_to_world, where)),
        intrinsics=lens(frame, shared, (height, width), where),
        height=height,
        width=width,
        picture=picture,
        depth=depth,
        name=_name(frame["file_path"]),
        depth_unit=None if depth is None else _depth_unit(values, depth, where),
    )


def _without_depth(frame: Any) -> Any:
    return {key: value for key, value in frame.items() if key not in _DEPTHS} if isinstance(frame, dict) else frame


def _depth_unit(values: Mapping[str, Any], depth: Path, where: str) -> DepthUnit | None:
    whole_numbers = depth.suffix.lower() == ".png"
    for name in (_INTEGER_UNIT, _UNIT):
        if values.get(name) is not None and (whole_numbers or name == _UNIT):
            size = number(values[name], f"{where}: {name}")
            if not 1e-9 <= size <= 1e9:
                raise InputError(f"{where}: {name} must be positive: what a step of the depth maps is worth")
            return DepthUnit(size, name)
    return None


def _name(file_path: Any) -> str:
    return "/".join(names_in(file_path)) if isinstance(file_path, str) else ""


def _applied_transform(content: Mapping[str, Any], where: str) -> Pose:
    value = content.get("applied_transform")
    if value is None:
        return np.eye(4)
    rows = len(value) if isinstance(value, list) and len(value) in (3, 4) else 3
    transform = np.eye(4)
    transform[:rows] = matrix(value, rows, 4, where)
    return check_pose(transform, where)


def _file(name: Any, file: Path, where: str, suffixes: tuple[str, ...]) -> Path:
    """A file that is named relative to the .json, also with backslashes, or by its whole path."""
    if not isinstance(name, str) or not name:
        raise InputError(f"{where} must name a file")
    for path in (Path(name), Path(*(("/",) if name.startswith("/") else ()), *names_in(name))):
        found = beside(file.parent, os.fspath(path), suffixes)  # a whole path stays one
        if found is not None:
            return found
    foreign = Path(name).is_absolute() or name.startswith("\\") or _WINDOWS_DRIVE.match(name)
    hint = "; a whole path of another machine? Write it relative to the file" if foreign else ""
    raise InputError(f"{where}: there is no file {name[:200]!r} beside {file.name}{hint}")


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
    unit = {} if camera.depth_unit is None else {_UNIT: camera.depth_unit.size}
    return frame | ({} if camera.depth is None else {"depth_file_path": _relative(camera.depth, path)} | unit)


def _relative(target: Path, path: Path) -> str:
    return Path(os.path.relpath(target, path.parent)).as_posix()
