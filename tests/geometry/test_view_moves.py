import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import dolly_zoom, figure_of_eight, release_intrinsics, spiral
from nvs_jax.geometry.cameras import look_at, project, transform
from tests.geometry.scenes import random_pose

START = jnp.asarray(random_pose(np.random.default_rng(3)), jnp.float32)
PATHS = {
    "spiral": lambda start, n: spiral(start, (1.0, 2.0, 0.5), 6.0, n, turns=2.0),
    "figure of eight": lambda start, n: figure_of_eight(start, 2.0, 1.0, 6.0, n),
    "dolly zoom": lambda start, n: dolly_zoom(start, 6.0, 2.0, n).poses,
}


def offsets(poses, start):
    """Camera centres in the axes of the given view."""
    poses, start = np.asarray(poses, np.float64), np.asarray(start, np.float64)
    return (start @ np.linalg.inv(poses))[:, :3, 3]


@pytest.mark.parametrize("name", PATHS)
def test_begins_at_the_given_view_with_sound_rotations(name):
    poses = PATHS[name](START, 9)
    np.testing.assert_allclose(poses[0], START, atol=2e-6)
    rotations = np.asarray(poses)[:, :3, :3]
    np.testing.assert_allclose(rotations @ rotations.swapaxes(1, 2), np.tile(np.eye(3), (9, 1, 1)), atol=3e-6)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-5)
    np.testing.assert_allclose(PATHS[name](START, 1)[0], START, atol=2e-6)
    with pytest.raises(InputError, match="at least one frame"):
        PATHS[name](START, 0)


@pytest.mark.parametrize("name", PATHS)
def test_what_is_looked_at_stays_in_the_middle(name):
    ahead = np.linalg.inv(np.asarray(START, np.float64)) @ [0, 0, 6, 1]
    seen = np.asarray(PATHS[name](START, 9), np.float64) @ ahead
    np.testing.assert_allclose(seen[:, :2], 0, atol=1e-5)
    assert (seen[:, 2] > 0).all()


def test_spiral_winds_out():
    u = np.linspace(0, 1, 9)
    expected = u[:, None] * np.stack([np.cos(4 * np.pi * u), 2 * np.sin(4 * np.pi * u), np.sin(2 * np.pi * u) / 2], -1)
    np.testing.assert_allclose(offsets(PATHS["spiral"](START, 9), START), expected, atol=2e-5)


def test_figure_of_eight_crosses_itself_and_ends_where_it_began():
    poses = PATHS["figure of eight"](START, 9)
    angle = np.linspace(0, 2 * np.pi, 9)
    expected = np.stack([2 * np.sin(angle), np.sin(2 * angle), 0 * angle], -1)
    np.testing.assert_allclose(offsets(poses, START), expected, atol=2e-5)
    np.testing.assert_allclose(poses[-1], START, atol=5e-6)
    np.testing.assert_allclose(poses[4], START, atol=5e-6)


@pytest.mark.parametrize("travel", [-3.0, 2.0])
def test_dolly_zoom_keeps_the_size_of_what_is_at_the_distance(travel):
    zoom = dolly_zoom(START, 6.0, travel, 5)
    np.testing.assert_allclose(offsets(zoom.poses, START), np.outer(np.linspace(0, travel, 5), [0, 0, 1]), atol=2e-5)
    first = release_intrinsics(48, 64)
    intrinsics = zoom.intrinsics(first)
    near, far = (jnp.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 2.0)]) for z in (6.0, 12.0))
    to_world = jnp.linalg.inv(START)

    def sizes(points):
        seen = [project(transform(p @ to_world, points), k)[0] for p, k in zip(zoom.poses, intrinsics, strict=True)]
        return np.ptp(np.stack(seen), axis=1)

    np.testing.assert_allclose(sizes(near), np.tile(sizes(near)[:1], (5, 1)), rtol=1e-5)
    growth = np.diff(sizes(far), axis=0)
    assert (np.sign(growth) == -np.sign(travel)).all()  # what lies behind shrinks as the camera comes nearer
    np.testing.assert_array_equal(intrinsics[:, :, 2], np.tile(first[:, 2], (5, 1)))


@pytest.mark.full
def test_are_differentiable_in_their_parameters():
    start = [3.0, 1.0, -5.0]
    with jax.enable_x64(True):
        for path, at in (
            (lambda p: spiral(look_at(p[:3], (0, 0, 0)), p[3:6], p[6], 4, p[7]), [*start, 1.0, 2.0, 0.5, 6.0, 2.0]),
            (lambda p: figure_of_eight(look_at(p[:3], (0, 0, 0)), p[3], p[4], p[5], 4), [*start, 1.0, 2.0, 6.0]),
            (lambda p: dolly_zoom(look_at(p[:3], (0, 0, 0)), p[3], p[4], 4).poses, [*start, 6.0, 2.0]),
            (lambda p: dolly_zoom(jnp.eye(4), p[0], p[1], 4).focal, [6.0, 2.0]),
        ):
            at = jnp.array(at)
            numeric = [(path(at + step) - path(at - step)) / 2e-5 for step in 1e-5 * jnp.eye(len(at))]
            np.testing.assert_allclose(jax.jacobian(path)(at), jnp.stack(numeric, -1), atol=1e-7)
