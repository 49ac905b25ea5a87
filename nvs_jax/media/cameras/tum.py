"""TUM trajectories: a line `timestamp tx ty tz qx qy qz qw` a frame, camera-to-world, OpenCV's axes.

See https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import check_frames, floats, rows
from nvs_jax.media.cameras.rotations import check_pose, invert, pose_matrix, quaternion_of, rotation_of
from nvs_jax.media.cameras.views import Pose

Poses = Float[np.ndarray, "_ 4 4"]
Times = Float[np.ndarray, "_"]


def read_tum(path: str | os.PathLike[str]) -> tuple[Times, Poses]:
    """Read a trajectory.

    Returns:
        times as the file has them (TUM's are seconds, EuRoC's nanoseconds), and world-to-camera poses.

    Raises:
        InputError: missing, too large, malformed or empty; a quaternion that is none.
    """
    frames = [tum_line(words, where) for where, words in rows(Path(path))]
    check_frames(len(frames), path)
    return np.array([time for time, _ in frames]), np.stack([pose for _, pose in frames])


def tum_line(words: Sequence[str], where: str) -> tuple[float, Pose]:
    """The time and the world-to-camera pose of a line's words.

    Raises:
        InputError: they are not 8 numbers, or not a pose.
    """
    if len(words) != 8:
        raise InputError(f"{where}: {len(words)} numbers instead of 8: timestamp tx ty tz qx qy qz qw")
    values = floats(words[1:], where)
    x, y, z, w = values[3:]
    # A stamp is no length: nanoseconds since 1970 are beyond what a position may be.
    time = floats(words[:1], where, largest=np.finfo(np.float64).max)[0]
    pose = pose_matrix(rotation_of(np.array([w, x, y, z]), where), values[:3])
    return float(time), invert(check_pose(pose, where))


def write_tum(path: str | os.PathLike[str], poses: Poses, times: Times | None = None) -> None:
    """Write a trajectory.

    Args:
        path: of the file.
        poses: world-to-camera.
        times: in seconds; None: 0, 1, 2, ...

    Raises:
        InputError: no poses, one that is none, or another number of times.
    """
    check_frames(len(poses), path)
    times = np.arange(len(poses), dtype=np.float64) if times is None else times
    if len(times) != len(poses):
        raise InputError(f"{path}: {len(times)} times for {len(poses)} poses: give each pose one")
    lines = ["# timestamp tx ty tz qx qy qz qw"]
    for index, (time, pose) in enumerate(zip(times, poses, strict=True)):
        camera_to_world = invert(check_pose(pose, f"pose {index}"))
        w, x, y, z = quaternion_of(camera_to_world[:3, :3])
        lines.append(" ".join(repr(float(value)) for value in (time, *camera_to_world[:3, 3], x, y, z, w)))
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
