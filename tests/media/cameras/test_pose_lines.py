from pathlib import Path

import numpy as np
import pytest

from nvs_jax.media.cameras.pose_lines import read_lines
from tests.media.cameras.scenes import random_pose, refused

POSE = [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]  # stands at (-1, -2, -3)


@pytest.mark.parametrize(
    ("line", "convention"),
    [
        ("1 0 0 1 0 1 0 2 0 0 1 3 0 0 0 1", "world-to-camera matrices, OpenCV's axes"),
        ("1 0 0 -1 0 1 0 -2 0 0 1 -3", "KITTI's poses: 12 numbers a line, camera-to-world"),
        ("0.5 -1 -2 -3 0 0 0 1", "a TUM trajectory: camera-to-world"),
        ("1403636580838555648 -1 -2 -3 0 0 0 1", "a TUM trajectory: camera-to-world"),
        ("158025 .5 .9 .5 .5 0 0 1 0 0 1 0 1 0 2 0 0 1 3", "RealEstate10K's poses: world-to-camera"),
    ],
)
def test_how_many_numbers_a_line_holds_says_what_they_are(tmp_path: Path, line: str, convention: str) -> None:
    (tmp_path / "a.txt").write_text(f"# a comment\n{line}\n\n{line}\n")
    poses, said = read_lines(tmp_path / "a.txt")
    np.testing.assert_array_equal(poses, [POSE, POSE])
    assert said.startswith(convention)


def test_kitti_poses_are_camera_to_world(tmp_path: Path) -> None:
    poses = [random_pose(seed) for seed in range(3)]
    lines = [" ".join(map(repr, np.linalg.inv(pose)[:3].ravel().tolist())) for pose in poses]
    (tmp_path / "07.txt").write_text("\n".join(lines))
    np.testing.assert_allclose(read_lines(tmp_path / "07.txt")[0], poses, atol=1e-12)


def test_the_address_of_a_video_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("https://www.example.org/watch\n0 .5 .9 .5 .5 0 0 1 0 0 1 0 1 0 2 0 0 1 3\n")
    np.testing.assert_array_equal(read_lines(tmp_path / "a.txt")[0], [POSE])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 0 0 0\n0 1 0 0\n", "line 1: 4 numbers; a matrix must stand in one line"),
        ("14036,1,2,3,1,0,0,0\n", "between spaces, not commas"),
        ("0 0 0 0 0 0 0 1\n1 0 0 0 0 1 0 0 0 0 1 0\n", "line 2: 12 numbers, the lines before have 8"),
        ("nan 0 0 0 0 0 0 1\n", "numbers must be finite"),
        ("0 0 0 0 0 0 3 4\n", "line 1: the quaternion must have length 1, not 5"),
        ("# nothing\n", "holds no frames"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(content)
    assert message in refused(read_lines, tmp_path / "a.txt")
