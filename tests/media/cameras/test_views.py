import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import CameraSet, Observations, PosedCamera, is_turned, read_picture
from tests.media.cameras.scenes import picture_file, random_intrinsics, random_pose, refused, turned_picture

K = np.array([[100.0, 0, 32], [0, 90, 24], [0, 0, 1]])


def test_axes_are_opencvs() -> None:
    camera = PosedCamera(np.eye(4), K, 48, 64, None)
    centre, right, below = camera.project(np.array([[0.0, 0, 10], [1, 0, 10], [0, 1, 10]]))
    assert centre.tolist() == [32, 24]
    assert right.tolist() == [42, 24]
    assert below.tolist() == [32, 33]


def test_resized_projects_to_the_stretched_picture() -> None:
    camera = PosedCamera(random_pose(1), random_intrinsics(1), 48, 64, None)
    larger = PosedCamera(camera.pose, camera.resized(96, 192), 96, 192, None)
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(larger.project(points), camera.project(points) * [3, 2])


def test_a_set_is_consistent() -> None:
    camera, points = PosedCamera(np.eye(4), K, 48, 64, None), np.zeros((4, 3))
    assert CameraSet((camera, camera)).poses.shape == (2, 4, 4)
    assert "at least one frame" in refused(CameraSet, ())
    assert "3 colours for 4 points" in refused(CameraSet, (camera,), points, np.zeros((3, 3), np.uint8))
    assert "0 observations for 1 cameras" in refused(CameraSet, (camera,), points, None, ())
    for index in (-1, 4):
        seen = Observations(np.zeros((1, 2)), np.array([index]))
        assert "not among the 4" in refused(CameraSet, (camera,), points, None, (seen,))


def test_read_picture_takes_the_cameras_part(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "a.png", 60, 80)
    assert read_picture(PosedCamera(np.eye(4), K, 48, 64, path)).shape == (60, 80, 3)
    assert read_picture(PosedCamera(np.eye(4), K, 48, 64, path, crop=(8, 4, 40, 30))).shape == (30, 40, 3)
    assert "comes without pictures" in refused(read_picture, PosedCamera(np.eye(4), K, 48, 64, None))
    assert "60x80 (height x width) is not the shape of its camera, 64x48" in refused(
        read_picture, PosedCamera(np.eye(4), K, 64, 48, path)
    )


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("shape", [(48, 64), (64, 64)])
def test_a_posed_picture_is_read_as_it_is_stored(tmp_path: Path, orientation: int, shape: tuple[int, int]) -> None:
    path = turned_picture(tmp_path / "a.jpg", orientation, *shape)
    camera = PosedCamera(np.eye(4), K, *shape, path)
    picture = read_picture(camera)
    assert picture.shape == (*shape, 3)
    np.testing.assert_allclose(picture[2, 2], [0, 1, 0], atol=0.1)
    np.testing.assert_allclose(picture[-2, 2], [1, 0, 0], atol=0.1)
    np.testing.assert_array_equal(picture, read_picture(camera, whole=True))
    assert not is_turned(camera)


@pytest.mark.parametrize(("orientation", "left"), [(6, [1, 0, 0]), (8, [0, 1, 0])])
def test_a_picture_is_turned_where_only_so_it_has_its_cameras_shape(tmp_path: Path, orientation, left) -> None:
    path = turned_picture(tmp_path / "a.jpg", orientation)
    camera = PosedCamera(np.eye(4), K, 64, 48, path)
    assert is_turned(camera)
    picture = read_picture(camera)
    assert picture.shape == (64, 48, 3)
    np.testing.assert_allclose(picture[32, 2], left, atol=0.1)
    upright = PosedCamera(np.eye(4), K, 64, 48, turned_picture(tmp_path / "b.jpg", 3))
    assert "48x64 (height x width) is not the shape of its camera, 64x48" in refused(read_picture, upright)


def test_a_part_is_one_of_the_stored_pixels(tmp_path: Path) -> None:
    path = turned_picture(tmp_path / "a.jpg", 6)
    camera = PosedCamera(np.eye(4), K, 24, 32, path, crop=(0, 0, 32, 24))
    np.testing.assert_allclose(read_picture(camera).mean((0, 1)), [0, 1, 0], atol=0.1)
    assert read_picture(camera, whole=True).shape == (48, 64, 3)


def test_a_reduced_picture_keeps_its_shape_but_for_rounding(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "a.png", 271, 483)  # a quarter of 1085x1934, rounded
    assert read_picture(PosedCamera(np.eye(4), K, 1085, 1934, path)).shape == (271, 483, 3)


def test_needs_no_jax() -> None:
    code = "import sys, nvs_jax.media.cameras; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_errors_are_input_errors() -> None:
    with pytest.raises(InputError):
        CameraSet(())
