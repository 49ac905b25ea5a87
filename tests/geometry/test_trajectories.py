import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import between, ellipse, line, orbit, relative_to, through
from nvs_jax.geometry.cameras import look_at
from tests.geometry.scenes import random_pose


def centres(poses):
    poses = np.asarray(poses, np.float64)
    return -np.einsum("fji,fj->fi", poses[:, :3, :3], poses[:, :3, 3])


@pytest.mark.parametrize("inverse", [False, True])
def test_orbit_is_an_ellipse_seen_from_inside(inverse):
    poses = orbit(60.0, 70.0, 2.0, frames=25, inverse=inverse)
    angles = np.deg2rad(2 * np.arange(25)) * (-1 if inverse else 1)
    expected = np.stack([60 * np.sin(angles), 0 * angles, 70 * np.cos(angles)], -1)
    np.testing.assert_allclose(centres(poses), expected, atol=1e-4)
    np.testing.assert_allclose(poses[:, :2, 3], 0, atol=1e-4)  # the origin is in the middle of the picture
    np.testing.assert_allclose(poses[:, 2, 3], np.linalg.norm(expected, axis=1), rtol=1e-6)


def test_line_goes_in_equal_steps():
    poses = line(40, (30, 2, -10), frames=9)
    expected = np.linspace([40, 0, 0], [30, 2, -10], 9)
    np.testing.assert_allclose(centres(poses), expected, atol=1e-4)
    np.testing.assert_allclose(poses[:, :2, 3], 0, atol=1e-4)


@pytest.mark.parametrize("straight", ["centre", "translation"])
def test_between_has_both_ends_and_a_straight_line(straight):
    rng = np.random.default_rng(0)
    start, end = (jnp.asarray(random_pose(rng), jnp.float32) for _ in range(2))
    poses = between(start, end, 25, straight)
    np.testing.assert_allclose(poses[0], start, atol=2e-6)
    np.testing.assert_allclose(poses[-1], end, atol=2e-6)
    moved = centres(poses) if straight == "centre" else np.asarray(poses)[:, :3, 3]
    # Centres, some units from the origin, go there and back by a rotation of float32.
    atol = 1e-5 if straight == "centre" else 2e-6
    np.testing.assert_allclose(moved, np.linspace(moved[0], moved[-1], 25), atol=atol)
    rotations = np.asarray(poses)[:, :3, :3]
    np.testing.assert_allclose(rotations @ rotations.swapaxes(1, 2), np.tile(np.eye(3), (25, 1, 1)), atol=2e-6)
    steps = rotations[:-1].swapaxes(1, 2) @ rotations[1:]
    np.testing.assert_allclose(steps, np.tile(steps[0], (24, 1, 1)), atol=4e-6)


def test_between_equal_poses_stands_still_with_finite_gradient():
    pose = jnp.asarray(random_pose(np.random.default_rng(0)), jnp.float32)
    np.testing.assert_allclose(between(pose, pose, 5), np.tile(pose, (5, 1, 1)), atol=1e-6)
    assert np.isfinite(jax.jacobian(between)(pose, pose, 5)).all()


@pytest.mark.parametrize(
    "path", [lambda n: orbit(1, 2, 3, n), lambda n: line(1, (2, 0, 1), n), lambda n: between(jnp.eye(4), jnp.eye(4), n)]
)
def test_one_frame_is_the_given_view_and_none_is_refused(path):
    np.testing.assert_allclose(path(1)[0], path(4)[0], atol=1e-6)
    with pytest.raises(InputError, match="at least one frame"):
        path(0)


@pytest.mark.full
def test_paths_are_differentiable_in_their_parameters():
    with jax.enable_x64(True):
        for path, at in (
            (lambda p: orbit(p[0], p[1], p[2], 4), [60.0, 70.0, 5.0]),
            (lambda p: line(p[0], p[1:], 4), [40.0, 30.0, 2.0, -10.0]),
            (lambda p: ellipse(p[0], p[1], p[2], 4, p[3]), [60.0, 70.0, 5.0, 30.0]),
            (lambda p: through(jnp.stack([look_at(p[:3], p[3:]), jnp.eye(4)]), 4), [3.0, 1.0, -5.0, 0.1, 0.2, 0.3]),
            (lambda p: relative_to(orbit(p[0], 7.0, 9.0, 4), look_at(p[1:], (0, 0, 0))), [6.0, 3.0, 1.0, -5.0]),
        ):
            at, path = jnp.array(at), jax.jit(path)
            numeric = [(path(at + step) - path(at - step)) / 2e-5 for step in 1e-5 * jnp.eye(len(at))]
            np.testing.assert_allclose(jax.jit(jax.jacobian(path))(at), jnp.stack(numeric, -1), atol=1e-8)
            assert path(at).dtype == jnp.float64
    assert orbit(60, 70, 1, 2).dtype == line(40, (30, 2, -10), 2).dtype == jnp.float32


@pytest.mark.parametrize("tilt", [-30.0, 45.0, 80.0])
def test_an_ellipse_rises_in_a_tilted_plane(tilt):
    poses = ellipse(60.0, 70.0, 3.0, frames=9, tilt_degrees=tilt)
    angles, e = np.deg2rad(3 * np.arange(9)), np.deg2rad(tilt)
    across = 60 * np.sin(angles)
    expected = np.stack([across * np.cos(e), -across * np.sin(e), 70 * np.cos(angles)], -1)
    np.testing.assert_allclose(centres(poses), expected, atol=1e-4)
    np.testing.assert_allclose(poses[:, :2, 3], 0, atol=1e-4)
    np.testing.assert_allclose(poses[:, 0, 1], 0, atol=1e-6)  # a level horizon: the camera's x has no part of world y
    np.testing.assert_array_equal(poses[0], orbit(60.0, 70.0, 3.0, 9)[0])
    assert_rotations(poses)


def test_an_ellipse_without_tilt_is_an_orbit():
    for inverse in (False, True):
        ours, plain = ellipse(3, 4, 5, 6, 0, inverse), orbit(3, 4, 5, 6, inverse)
        np.testing.assert_allclose(ours, plain, atol=1e-6)


def assert_rotations(poses):
    rotations = np.asarray(poses)[:, :3, :3]
    np.testing.assert_allclose(rotations @ rotations.swapaxes(1, 2), np.tile(np.eye(3), (len(poses), 1, 1)), atol=3e-6)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-5)
    np.testing.assert_allclose(poses[:, 3], np.tile([0, 0, 0, 1], (len(poses), 1)), atol=1e-6)


@pytest.mark.parametrize("straight", ["centre", "translation"])
def test_through_visits_every_pose_in_straight_lines(straight):
    rng = np.random.default_rng(1)
    given = jnp.asarray(np.stack([random_pose(rng) for _ in range(3)]), jnp.float32)
    poses = through(given, (4, 8), straight)
    np.testing.assert_allclose(poses[np.array([0, 4, 12])], given, atol=4e-6)
    assert_rotations(poses)
    moved = centres(poses) if straight == "centre" else np.asarray(poses)[:, :3, 3]
    first, second, third = moved[[0, 4, 12]]
    expected = np.concatenate([np.linspace(first, second, 5)[:-1], np.linspace(second, third, 9)])
    np.testing.assert_allclose(moved, expected, atol=1e-5)
    np.testing.assert_allclose(through(given[:2], 6, straight), between(given[0], given[1], 7, straight), atol=1e-6)


def test_through_needs_poses_and_steps():
    poses = jnp.stack([jnp.eye(4)] * 3)
    with pytest.raises(InputError, match="at least two poses"):
        through(poses[:1], 3)
    for steps in ((1,), (1, 0), 0):
        with pytest.raises(InputError, match="needs 2 numbers of steps"):
            through(poses, steps)


def test_relative_to_keeps_the_motion_and_changes_the_start():
    path, pose = orbit(6, 7, 10, 5), jnp.asarray(random_pose(np.random.default_rng(2)), jnp.float32)
    moved = relative_to(path, pose)
    np.testing.assert_allclose(moved[0], pose, atol=2e-6)
    motion, before = (np.asarray(p, np.float64) @ np.linalg.inv(np.asarray(p[0], np.float64)) for p in (moved, path))
    np.testing.assert_allclose(motion, before, atol=2e-5)
    np.testing.assert_allclose(relative_to(moved, path[0]), path, atol=1e-5)
    assert_rotations(moved)
