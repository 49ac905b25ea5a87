"""Plain files of poses, for camera paths of one's own.

- .json: `{"world_to_camera": [...]}`, or only the list; its entries are 4x4 (or 3x4) matrices. Of a transforms.json the
  poses of its frames are taken.
- .txt: a line a frame, which `nvs_jax.media.cameras.pose_lines` tells apart by how many numbers it holds. Lines that
  begin with # are comments.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import check_frames, matrix, read_json
from nvs_jax.media.cameras.pose_lines import read_lines
from nvs_jax.media.cameras.rotations import check_pose, from_opengl
from nvs_jax.media.cameras.tum import Poses
from nvs_jax.media.cameras.views import Pose

_KEY = "world_to_camera"
_OTHER_KEYS = ("camera_path", "camera_to_world", "cam_to_world", "c2w", "poses", "transform_matrix")


@dataclass(frozen=True, eq=False)
class PoseFile:
    """What a file of poses holds.

    Attributes:
        poses: world-to-camera, OpenCV's axes.
        convention: what the file's numbers were taken for, in words; empty where the file says it itself.
    """

    poses: Poses
    convention: str


def read_poses(path: str | os.PathLike[str]) -> Poses:
    """Read a camera path: world-to-camera poses [F,4,4], OpenCV's axes. See the module for the files.

    Raises:
        InputError: missing, too large, malformed or empty; a matrix that is no pose; a convention that is not known.
    """
    return read_pose_file(path).poses


def read_pose_file(path: str | os.PathLike[str]) -> PoseFile:
    """`read_poses`, and what the numbers were taken for."""
    path = Path(path)
    if path.suffix.lower() == ".npy":
        raise InputError(
            f"{path}: LLFF's poses_bounds.npy and other arrays are not read; write the poses as .json or .txt"
        )
    if path.suffix.lower() not in (".json", ".txt"):
        raise InputError(f"{path}: a file of poses must be .json or .txt")
    if path.suffix.lower() == ".txt":
        poses, convention = read_lines(path)
    else:
        poses, convention = _read_json_poses(path)
    return PoseFile(np.stack(poses), convention)


def write_poses(path: str | os.PathLike[str], poses: Poses) -> None:
    """Write world-to-camera poses, as .json, or as .txt with 16 numbers a line.

    Raises:
        InputError: another suffix, no poses, or one that is none.
    """
    path = Path(path)
    check_frames(len(poses), path)
    checked = [check_pose(pose, f"pose {index}").tolist() for index, pose in enumerate(poses)]
    if path.suffix.lower() == ".json":
        text = json.dumps({_KEY: checked}, indent=1)
    elif path.suffix.lower() == ".txt":
        text = "\n".join(" ".join(repr(value) for row in pose for value in row) for pose in checked)
    else:
        raise InputError(f"{path}: a file of poses must be .json or .txt")
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _read_json_poses(path: Path) -> tuple[list[Pose], str]:
    content = read_json(path)
    if isinstance(content, dict) and _KEY not in content and isinstance(content.get("frames"), list):
        return _poses_of_transforms(content["frames"], path), "a transforms.json: camera-to-world, OpenGL's axes"
    entries = content.get(_KEY) if isinstance(content, dict) else content
    if not isinstance(entries, list):
        other = next((key for key in _OTHER_KEYS if isinstance(content, dict) and key in content), None)
        raise InputError(
            f"{path}: must be a list of 4x4 matrices, or an object with one named '{_KEY}'"
            + (f"; the axes of '{other}' are not known: invert its matrices, in OpenCV's axes" if other else "")
        )
    check_frames(len(entries), path)
    poses = [_matrix_pose(entry, f"{path}: frame {index}") for index, entry in enumerate(entries)]
    return poses, "" if isinstance(content, dict) else "world-to-camera matrices, OpenCV's axes"


def _poses_of_transforms(frames: list[Any], path: Path) -> list[Pose]:
    check_frames(len(frames), path)
    poses = []
    for index, frame in enumerate(frames):
        where = f"{path}: frame {index}"
        values = frame.get("transform_matrix") if isinstance(frame, dict) else None
        poses.append(from_opengl(check_pose(matrix(values, 4, 4, f"{where}: transform_matrix"), where)))
    return poses


def _matrix_pose(entry: Any, where: str) -> Pose:
    count = 3 if isinstance(entry, list) and len(entry) == 3 else 4
    pose = np.eye(4)
    pose[:count] = matrix(entry, count, 4, where)
    return check_pose(pose, where)
