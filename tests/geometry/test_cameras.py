import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nvs_jax.geometry import cameras
from tests.geometry.scenes import random_pose, random_scene

coordinate = st.floats(-50, 50, width=32)
point = st.tuples(coordinate, coordinate, coordinate)
_look_at = jax.jit(cameras.look_at)


@settings(deadline=None, max_examples=50)
@given(point, point)
def test_look_at_puts_the_target_ahead_and_world_y_below(position, target):
    ahead = np.subtract(target, position)
    assume(np.linalg.norm(ahead) > 1 and np.linalg.norm(ahead[[0, 2]]) > 0.1 * np.linalg.norm(ahead))
    pose = np.asarray(_look_at(np.float32(position), np.float32(target)), np.float64)
    np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-5)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(pose @ [*position, 1], [0, 0, 0, 1], atol=1e-4)
    np.testing.assert_allclose(pose @ [*target, 1], np.array([0, 0, np.linalg.norm(ahead), 1]), atol=1e-4)
    assert pose[1, 1] > 0  # world +y is along the camera's y: down
    assert pose[0, 1] == pytest.approx(0, abs=1e-6)  # no roll
    np.testing.assert_array_equal(pose[3], [0, 0, 0, 1])


def test_intrinsics_are_centred_and_scale_with_the_width():
    expected = [[260, 0, 512], [0, 260, 288], [0, 0, 1]]
    np.testing.assert_array_equal(cameras.release_intrinsics(576, 1024), expected)
    np.testing.assert_array_equal(cameras.release_intrinsics(288, 512)[:2], np.array(expected)[:2] / 2)
    np.testing.assert_array_equal(cameras.intrinsics_matrix(260.0, 576, 1024, "release"), expected)
    scaled = cameras.scale_intrinsics(jnp.array(expected, jnp.float32), 2, 0.5)
    np.testing.assert_array_equal(scaled, [[520, 0, 1024], [0, 130, 144], [0, 0, 1]])


def test_the_middle_of_a_picture_is_between_its_outermost_pixels():
    for height, width in ((576, 1024), (3, 5)):
        K = np.asarray(cameras.intrinsics_matrix(10.0, height, width))
        np.testing.assert_array_equal(K[:2, 2], [(width - 1) / 2, (height - 1) / 2])


def test_project_undoes_unproject():
    scene = random_scene(0).to(np.float32)
    points = cameras.unproject(jnp.asarray(scene.depth), jnp.asarray(scene.intrinsics))
    position, depth = cameras.project(points, jnp.asarray(scene.intrinsics))
    height, width = scene.depth.shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)
    np.testing.assert_allclose(position, grid, atol=1e-4)
    np.testing.assert_allclose(depth, scene.depth, rtol=1e-6)


def test_axes_are_those_of_opencv():
    position, depth = cameras.project(jnp.array([[1.0, 0, 2], [0, 1, 2]]), cameras.intrinsics_matrix(10.0, 21, 31))
    np.testing.assert_allclose(position, [[20, 10], [15, 15]])  # +x right, +y down
    np.testing.assert_allclose(depth, [2, 2])


def test_points_in_the_plane_of_the_camera_have_finite_positions_and_gradients():
    points = jnp.array([[1.0, 2, 0], [0, 0, 0], [1, 1, -3]])

    def landed(points):
        return cameras.project(points, cameras.intrinsics_matrix(10.0, 21, 31))[0]

    assert np.isfinite(landed(points)).all()
    assert np.isfinite(jax.jacobian(landed)(points)).all()
    np.testing.assert_allclose(landed(points)[2], [15 - 10 / 3, 10 - 10 / 3], rtol=1e-6)  # mirrored


@pytest.mark.parametrize("seed", range(3))
def test_relative_pose(seed):
    rng = np.random.default_rng(seed)
    source, target = (random_pose(rng).astype(np.float32) for _ in range(2))
    relative = cameras.relative_pose(jnp.asarray(source), jnp.asarray(target))
    np.testing.assert_allclose(relative, target @ np.linalg.inv(source), atol=1e-5)
    sloppy = jnp.asarray(source.round(2))  # not quite a rotation
    np.testing.assert_allclose(cameras.relative_pose(sloppy, sloppy), np.eye(4), atol=2e-6)


def test_invert():
    matrix = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    np.testing.assert_allclose(cameras.invert(jnp.asarray(matrix)), np.linalg.inv(matrix), rtol=1e-4, atol=1e-5)
