"""Plain files of poses, for camera paths of one's own.

- .json: `{"world_to_camera": [...]}`, or only the list; its entries are 4x4 (or 3x4) matrices.
- .txt: a line a frame: 16 or 12 numbers, the rows of such a matrix one after the other; or 8, which is a TUM
  trajectory (camera-to-world). Lines that begin with # are comments.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.media.atomic import atomic_path
from nvs_jax.media.cameras.files import check_frames, floats, matrix, read_json, rows
from nvs_jax.media.cameras.rotations import check_pose
from nvs_jax.media.cameras.tum import Poses, tum_pose
from nvs_jax.media.cameras.views import Pose

_KEY = "world_to_camera"


def read_poses(path: str | os.PathLike[str]) -> Poses:
    """Read a camera path: world-to-camera poses [F,4,4], OpenCV's axes. See the module for the files.

    Raises:
        InputError: missing, too large, malformed or empty, or a matrix that is no pose.
    """
    path = Path(path)
    if path.suffix.lower() not in (".json", ".txt"):
        raise InputError(f"{path}: a file of poses must be .json or .txt")
    poses = _read_json_poses(path) if path.suffix.lower() == ".json" else _read_text_poses(path)
    return np.stack(poses)


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


def _read_json_poses(path: Path) -> list[Pose]:
    content = read_json(path)
    entries = content.get(_KEY) if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise InputError(f"{path}: must be a list of 4x4 matrices, or an object with one named '{_KEY}'")
    check_frames(len(entries), path)
    return [_matrix_pose(entry, f"{path}: frame {index}") for index, entry in enumerate(entries)]


def _matrix_pose(entry: Any, where: str) -> Pose:
    count = 3 if isinstance(entry, list) and len(entry) == 3 else 4
    pose = np.eye(4)
    pose[:count] = matrix(entry, count, 4, where)
    return check_pose(pose, where)


def _read_text_poses(path: Path) -> list[Pose]:
    poses = []
    for where, words in rows(path):
        values = floats(words, where)
        if len(values) == 8:
            poses.append(tum_pose(values, where))
            continue
        if len(values) not in (12, 16):
            raise InputError(f"{where}: {len(values)} numbers; a pose is 16 or 12 (world-to-camera), or 8 (TUM)")
        pose = np.eye(4)
        pose[: len(values) // 4] = values.reshape(-1, 4)
        poses.append(check_pose(pose, where))
    check_frames(len(poses), path)
    return poses
