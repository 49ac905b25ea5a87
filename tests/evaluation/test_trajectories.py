from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from nvs_jax.errors import InputError
from nvs_jax.evaluation.trajectories import aligned_errors, centres, match_times, trajectory_errors, umeyama
from nvs_jax.media.cameras import read_tum, write_tum


def orbit(frames: int = 25) -> np.ndarray:
    """World-to-camera poses on a part of a circle that rises."""
    poses = np.tile(np.eye(4), (frames, 1, 1))
    for index in range(frames):
        angle = np.radians(2 * index)
        poses[index, :3, :3] = Rotation.from_rotvec([0.003 * index, angle, 0]).as_matrix()
        poses[index, :3, 3] = -poses[index, :3, :3] @ [4 * np.sin(angle), 0.02 * index, -4 * np.cos(angle)]
    return poses


def moved(poses: np.ndarray, scale: float, rotvec, shift) -> np.ndarray:
    """The same cameras in a world whose points are scale R x + t; each pose as a matrix product, not by our class."""
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = Rotation.from_rotvec(rotvec).as_matrix() * scale, shift
    found = poses @ np.linalg.inv(world)
    found[:, :3] *= scale
    return found


@given(
    st.floats(0.01, 100),
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(-50, 50)] * 3),
)
def test_a_known_similarity_leaves_no_error(scale, rotvec, shift) -> None:
    true = orbit()
    found = moved(true, scale, rotvec, shift)
    errors = aligned_errors(found, true)
    # What float64 loses to positions a thousand times the path's length.
    assert errors.ate < 1e-6 and errors.rpe_t < 1e-6 and errors.rpe_r < 1e-4
    back = umeyama(centres(found), centres(true))
    assert back.scale * scale == pytest.approx(1, rel=1e-6)


def test_a_known_jitter_is_what_is_measured() -> None:
    true = orbit(400)
    steps = np.random.default_rng(0).normal(0, 0.01, (400, 3))
    found = true.copy()
    found[:, :3, 3] -= np.einsum("fij,fj->fi", true[:, :3, :3], steps)  # centres move by the steps
    plain, aligned = trajectory_errors(found, true), aligned_errors(moved(found, 0.2, (1, 2, 0.5), (3, 0, 1)), true)
    assert plain.ate == pytest.approx(np.sqrt((steps**2).sum(-1).mean()), rel=1e-9)
    assert plain.rpe_t == pytest.approx(np.sqrt((np.diff(steps, axis=0) ** 2).sum(-1).mean()), rel=1e-9)
    # Seven numbers are fitted to 1200: they take up a share of 7 / 1200 of the squares.
    assert aligned.ate == pytest.approx(plain.ate, rel=0.01) and aligned.ate <= plain.ate
    assert aligned.rpe_t == pytest.approx(plain.rpe_t, rel=0.01)
    # The best rotation turns by about the jitter over the path's extent: hundredths of a degree.
    assert aligned.rpe_r < 0.01


def test_a_known_turn_of_every_second_camera_is_its_angle() -> None:
    true = orbit(21)
    found = true.copy()
    turn = Rotation.from_rotvec([0, 0, np.radians(0.3)]).as_matrix()
    found[1::2, :3] = turn @ found[1::2, :3]  # about its own axis: the centre stays
    errors = aligned_errors(found, true)
    assert errors.ate < 1e-9
    assert errors.rpe_r == pytest.approx(0.3, rel=1e-9)


def test_a_mirrored_path_is_not_turned_into_the_true_one() -> None:
    points = np.random.default_rng(1).normal(size=(30, 3))
    found = umeyama(points * [1, 1, -1], points)
    assert np.linalg.det(found.R) == pytest.approx(1)
    assert np.abs(found.points(points * [1, 1, -1]) - points).max() > 0.5


def test_the_fit_is_the_least_squares_one() -> None:
    x, y = np.random.default_rng(2).normal(size=(2, 12, 3))
    best = umeyama(x, y)

    def cost(scale, rotvec, shift) -> float:
        R = Rotation.from_rotvec(rotvec).as_matrix() @ best.R
        return float((((best.scale + scale) * x @ R.T + best.t + shift - y) ** 2).sum())

    least = cost(0, np.zeros(3), np.zeros(3))
    for step in 1e-3 * np.random.default_rng(3).normal(size=(50, 7)):
        assert cost(step[0], step[1:4], step[4:]) >= least


def test_what_cannot_be_aligned_is_said() -> None:
    true = orbit(5)
    with pytest.raises(InputError, match="three of both are needed"):
        aligned_errors(true[:2], true[:2])
    standing = np.tile(np.eye(4), (5, 1, 1))
    standing[:, 0, 3] = 1000.0
    with pytest.raises(InputError, match="stand all in one place"):
        aligned_errors(standing, true)


def test_trajectories_as_tum_files_with_frames_missing(tmp_path: Path) -> None:
    true = orbit(12)
    kept = np.array([0, 1, 3, 4, 5, 8, 9, 11])
    write_tum(tmp_path / "true.txt", true, np.arange(12) / 24)
    write_tum(tmp_path / "found.txt", moved(true, 3.0, (0.1, 0, 2), (1, 1, 1))[kept], kept / 24 + 0.001)
    (found_times, found), (true_times, truth) = read_tum(tmp_path / "found.txt"), read_tum(tmp_path / "true.txt")
    of_found, of_true = match_times(found_times, true_times)
    np.testing.assert_array_equal(of_true, kept)
    errors = aligned_errors(found[of_found], truth[of_true])
    assert max(errors.ate, errors.rpe_t) < 1e-9 and errors.rpe_r < 1e-5
    assert not len(match_times(found_times + 10, true_times)[0])
