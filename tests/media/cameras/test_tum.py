from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from nvs_jax.media.cameras import read_tum, write_tum
from tests.media.cameras.scenes import SEEDS, random_pose, refused

HALF = "0.70710678118654752"


def test_a_line_by_hand(tmp_path: Path) -> None:
    # Stands at (1, 2, 3), turned a quarter about y (x to -z): it looks along the world's +x.
    (tmp_path / "t.txt").write_text(f"# timestamp tx ty tz qx qy qz qw\n1305031102.5 1 2 3 0 {HALF} 0 {HALF}\n")
    times, poses = read_tum(tmp_path / "t.txt")
    assert times.tolist() == [1305031102.5]
    np.testing.assert_allclose(poses[0] @ [1, 2, 3, 1], [0, 0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(poses[0] @ [6, 2, 3, 1], [0, 0, 5, 1], atol=1e-12)
    np.testing.assert_allclose(poses[0] @ [1, 4, 3, 1], [0, 2, 0, 1], atol=1e-12)


def test_stamps_of_nanoseconds_are_taken(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("1403636580838555648.0 1 2 3 0 0 0 1\n")
    times, poses = read_tum(tmp_path / "t.txt")
    assert times.tolist() == [1403636580838555648.0]
    np.testing.assert_array_equal(poses[0, :3, 3], [-1, -2, -3])


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path = tmp_path_factory.getbasetemp() / "t.txt"
    poses = np.stack([random_pose(seed + index) for index in range(4)])
    write_tum(path, poses)
    times, again = read_tum(path)
    np.testing.assert_array_equal(times, [0, 1, 2, 3])
    np.testing.assert_allclose(again, poses, atol=1e-6)


def test_what_is_written(tmp_path: Path) -> None:
    pose = np.eye(4)
    pose[:3, 3] = [-1, 0, 0]  # stands at x = 1
    write_tum(tmp_path / "t.txt", pose[None], np.array([0.5]))
    assert np.array((tmp_path / "t.txt").read_text().split()[9:], float).tolist() == [0.5, 1, 0, 0, 0, 0, 0, 1]
    assert "2 times for 1 poses" in refused(write_tum, tmp_path / "t.txt", pose[None], np.zeros(2))
    assert "no frames" in refused(write_tum, tmp_path / "t.txt", np.zeros((0, 4, 4)))
    assert "pose 0: the rotation" in refused(write_tum, tmp_path / "t.txt", np.zeros((1, 4, 4)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# nothing\n", "holds no frames"),
        ("1 2 3\n", "line 1: 3 numbers instead of 8"),
        ("0 0 0 0 0 0 0 1\n0 0 0 0 0 0 0 0\n", "line 2: the quaternion must have length 1"),
        ("0 0 0 0 0 0 0 a\n", "line 1: 'a' is not a number"),
        ("0 0 inf 0 0 0 0 1\n", "line 1: numbers must be finite"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "t.txt").write_text(content)
    assert message in refused(read_tum, tmp_path / "t.txt")
