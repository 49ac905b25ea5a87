import numpy as np
import pytest
from hypothesis import given, settings

from nvs_jax.media.cameras.rotations import check_pose, from_opengl, quaternion_of, rotation_of, to_opengl
from tests.media.cameras.scenes import SEEDS, random_pose, refused

HALF = np.sqrt(0.5)


def test_known_quaternions() -> None:
    quarter_about_z = np.array([HALF, 0, 0, HALF])  # takes x to y
    np.testing.assert_allclose(rotation_of(quarter_about_z, "") @ [1, 0, 0], [0, 1, 0], atol=1e-15)
    quarter_about_x = np.array([HALF, HALF, 0, 0])  # takes y to z
    np.testing.assert_allclose(rotation_of(quarter_about_x, "") @ [0, 1, 0], [0, 0, 1], atol=1e-15)
    np.testing.assert_array_equal(rotation_of(np.array([0, 0, 1.0, 0]), ""), np.diag([-1.0, 1, -1]))


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS)
def test_quaternion_round_trip(seed: int) -> None:
    rotation = random_pose(seed)[:3, :3]
    quaternion = quaternion_of(rotation)
    assert quaternion[0] >= 0
    np.testing.assert_allclose(rotation_of(quaternion, ""), rotation, atol=1e-14)


def test_a_rotation_of_few_digits_has_the_quaternion_of_the_nearest_rotation() -> None:
    turn = np.array([HALF, 0, 0, HALF])
    np.testing.assert_allclose(quaternion_of(rotation_of(turn, "").round(3) * 1.0005), turn, atol=1e-12)


@pytest.mark.parametrize("axis", range(4))
def test_half_turns_have_a_quaternion(axis: int) -> None:
    quaternion = np.eye(4)[axis]
    np.testing.assert_allclose(quaternion_of(rotation_of(quaternion, "")), quaternion, atol=1e-15)


def test_quaternions_that_are_none() -> None:
    for values in ([0, 0, 0, 0], [1, 1, 0, 0], [np.nan, 0, 0, 1], [np.inf, 0, 0, 0], [1e200, 0, 0, 0]):
        assert "f: the quaternion must have length 1" in refused(rotation_of, np.array(values, float), "f")
    assert "must have length 1, not 5" in refused(rotation_of, np.array([3.0, 0, 4, 0]), "f")
    np.testing.assert_allclose(rotation_of(np.array([1.005, 0, 0, 0]), ""), np.eye(3))


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS)
def test_opengl_round_trip(seed: int) -> None:
    pose = random_pose(seed)
    np.testing.assert_allclose(from_opengl(to_opengl(pose)), pose, atol=1e-12)
    # OpenGL's camera sees along its -z, and its y is up: OpenCV's z and -y.
    camera_to_world = to_opengl(pose)
    np.testing.assert_allclose(-camera_to_world[:3, 2], pose[2, :3], atol=1e-12)
    np.testing.assert_allclose(-camera_to_world[:3, 1], pose[1, :3], atol=1e-12)
    np.testing.assert_allclose(pose[:3, :3] @ camera_to_world[:3, 3] + pose[:3, 3], 0, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (np.diag([2.0, 2, 2, 1]), "remove scale and shear"),
        (np.diag([1.0, 1, -1, 1]), "mirror image"),
        (np.diag([1.0, 1, 1, 2]), "last row"),
        (np.diag([1e200, 1, 1, 1]), "not finite or beyond"),
        (np.diag([np.nan, 1, 1, 1]), "not finite or beyond"),
        (np.zeros((4, 4)), "remove scale and shear"),
        (np.array([[1, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "remove scale and shear"),
        (np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 5, 1]]), "transposed"),
    ],
)
def test_what_is_no_pose(change: np.ndarray, message: str) -> None:
    error = refused(check_pose, change, "file: frame 7")
    assert error.startswith("file: frame 7: ")
    assert message in error


def test_few_digits_are_enough() -> None:
    rounded = random_pose(3).round(4)
    np.testing.assert_array_equal(check_pose(rounded, ""), rounded)
