import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import between, line, orbit
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


def test_between_has_both_ends_and_a_straight_translation():
    rng = np.random.default_rng(0)
    start, end = (jnp.asarray(random_pose(rng), jnp.float32) for _ in range(2))
    poses = between(start, end, frames=25)
    np.testing.assert_allclose(poses[0], start, atol=2e-6)
    np.testing.assert_allclose(poses[-1], end, atol=2e-6)
    np.testing.assert_allclose(poses[:, :3, 3], np.linspace(start[:3, 3], end[:3, 3], 25), atol=2e-6)
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


def test_paths_are_differentiable_in_their_parameters():
    with jax.enable_x64(True):
        for path, at in (
            (lambda p: orbit(p[0], p[1], p[2], 4), [60.0, 70.0, 5.0]),
            (lambda p: line(p[0], p[1:], 4), [40.0, 30.0, 2.0, -10.0]),
        ):
            at = jnp.array(at)
            numeric = [(path(at + step) - path(at - step)) / 2e-5 for step in 1e-5 * jnp.eye(len(at))]
            np.testing.assert_allclose(jax.jacobian(path)(at), jnp.stack(numeric, -1), atol=1e-8)
            assert path(at).dtype == jnp.float64
    assert orbit(60, 70, 1, 2).dtype == line(40, (30, 2, -10), 2).dtype == jnp.float32
