"""Camera paths as text, a line a frame, told apart by how many numbers a line holds.

- 8: a TUM trajectory, `timestamp tx ty tz qx qy qz qw`, camera-to-world, as SLAM programs write it (the stamp may be of
  nanoseconds, as EuRoC's are; it is not used);
- 12: KITTI's odometry, the rows of a 3x4 matrix, camera-to-world
  (https://www.cvlibs.net/datasets/kitti/eval_odometry.php);
- 16: the rows of a 4x4 matrix, world-to-camera, as this project writes it;
- 19: RealEstate10K, `timestamp fx fy cx cy 0 0` and the rows of a 3x4 matrix, world-to-camera
  (https://google.github.io/realestate10k/download.html); the first line may be the video's address.

All have OpenCV's axes.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import check_frames, floats, rows
from nvs_jax.media.cameras.rotations import check_pose, invert
from nvs_jax.media.cameras.tum import tum_line
from nvs_jax.media.cameras.views import Pose


def read_lines(path: Path) -> tuple[list[Pose], str]:
    """World-to-camera poses of a text file, and what its lines were taken for, in words.

    Raises:
        InputError: missing, too large, malformed or empty; lines of another length, or of several; no pose.
    """
    poses: list[Pose] = []
    length = 0
    for where, words in rows(path):
        if not poses and len(words) == 1 and words[0].startswith(("http://", "https://")):
            continue
        if len(words) not in _CONVENTIONS:
            raise InputError(f"{where}: {_unknown(words)}")
        if poses and len(words) != length:
            raise InputError(f"{where}: {len(words)} numbers, the lines before have {length}; write one kind of pose")
        length = len(words)
        poses.append(_CONVENTIONS[length][1](words, where))
    check_frames(len(poses), path)
    return poses, _CONVENTIONS[length][0]


def _kitti(words: Sequence[str], where: str) -> Pose:
    return invert(_matrix(words, where))


def _real_estate(words: Sequence[str], where: str) -> Pose:
    return _matrix(words[7:], where)


def _matrix(words: Sequence[str], where: str) -> Pose:
    pose = np.eye(4)
    pose[: len(words) // 4] = floats(words, where).reshape(-1, 4)
    return check_pose(pose, where)


_CONVENTIONS: dict[int, tuple[str, Callable[[Sequence[str], str], Pose]]] = {
    8: ("a TUM trajectory: camera-to-world, stamps not used", lambda words, where: tum_line(words, where)[1]),
    12: ("KITTI's poses: 12 numbers a line, camera-to-world", _kitti),
    16: ("world-to-camera matrices, OpenCV's axes: 16 numbers a line", _matrix),
    19: ("RealEstate10K's poses: world-to-camera, focal lengths not used", _real_estate),
}


def _unknown(words: Sequence[str]) -> str:
    """Why a line is no pose, and what would be one."""
    if any("," in word for word in words):
        return "numbers must stand between spaces, not commas; EuRoC's .csv holds its sensor's poses, not a camera's"
    spread = "; a matrix must stand in one line" if len(words) in (3, 4) else ""
    return (
        f"{len(words)} numbers{spread}; a pose is 16 (world-to-camera), 12 (KITTI, camera-to-world), 8 (TUM) or 19 "
        "(RealEstate10K)"
    )
