"""Paths through key frames."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from nvs_jax.errors import InputError
from nvs_jax.geometry import look_at, orbit
from nvs_jax.studio.keys import centre_of, key_numbers, looking_at, posed, through_keys


def some_keys(count: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    turns = Rotation.from_rotvec(0.4 * rng.standard_normal((count, 3))).as_matrix()
    return list(posed(turns, rng.standard_normal((count, 3))))


@given(st.integers(2, 7), st.integers(0, 20), st.integers(0, 1000))
def test_the_path_is_at_every_key_frame_and_made_of_rigid_motions(count, more, seed):
    keys, frames = some_keys(count, seed), count + more
    path = through_keys(keys, frames, 3.0)
    numbers = key_numbers(keys, frames, 3.0)
    assert numbers[0] == 0
    assert numbers[-1] == frames - 1
    assert all(after > before for before, after in pairwise(numbers))
    np.testing.assert_array_equal(path[list(numbers)], keys)
    np.testing.assert_allclose(
        path[:, :3, :3] @ path[:, :3, :3].swapaxes(1, 2), np.tile(np.eye(3), (frames, 1, 1)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(path[:, :3, :3]), 1.0, atol=1e-9)


def test_two_key_frames_make_a_straight_line_and_a_steady_turn():
    path = through_keys(some_keys(2, 3), 9, 2.0)
    steps = np.diff(centre_of(path), axis=0)
    np.testing.assert_allclose(steps, np.tile(steps[0], (8, 1)), atol=1e-9)
    turns = Rotation.from_matrix(path[1:, :3, :3] @ path[:-1, :3, :3].swapaxes(1, 2)).as_rotvec()
    np.testing.assert_allclose(turns, np.tile(turns[0], (8, 1)), atol=1e-9)


def test_speed_does_not_jump_at_a_key_frame():
    keys = np.asarray(orbit(5, 5, 30, 4), np.float64)
    path = through_keys(list(keys), 46, 5.0)
    steps = np.diff(centre_of(path), axis=0)
    assert np.linalg.norm(np.diff(steps, axis=0), axis=1).max() < 0.1 * np.linalg.norm(steps, axis=1).min()
    radii = np.linalg.norm(centre_of(path), axis=1)  # on the circle through the keys, but for the natural ends
    np.testing.assert_allclose(radii, 5.0, rtol=0.03)


def test_key_frames_at_the_same_place_share_the_frames():
    assert key_numbers([np.eye(4)] * 3, 5, 1.0) == (0, 2, 4)


def test_a_camera_is_turned_to_what_it_follows_as_paths_of_the_settings_are():
    poses, target = np.stack(some_keys(6, 5)), np.array([0.3, -0.2, 9.0])
    turned = looking_at(poses, target)
    for pose, centre in zip(turned, centre_of(poses), strict=True):
        np.testing.assert_allclose(pose, look_at(centre, target), atol=1e-5)


def test_refuses_more_key_frames_than_frames_and_a_camera_above_its_target():
    with pytest.raises(InputError, match="3 key frames of 2 frames"):
        through_keys(some_keys(3, 0), 2, 1.0)
    above = posed(np.eye(3), np.array([0.0, -2.0, 0.0]))[None]
    with pytest.raises(InputError, match="right above"):
        looking_at(above, np.zeros(3))
