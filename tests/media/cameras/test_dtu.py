from pathlib import Path

import numpy as np
import pytest

from nvs_jax.media.cameras import read_dtu, read_picture
from tests.media.cameras.scenes import picture_file, refused, turned_picture

CAMERA = """extrinsic
0.0 0.0 1.0 1.0
0.0 1.0 0.0 2.0
-1.0 0.0 0.0 3.0
0.0 0.0 0.0 1.0

intrinsic
360.0 0.0 80.0
0.0 300.0 64.0
0.0 0.0 1.0

425.0 2.5
"""


def scene(folder: Path, camera: str = CAMERA, size: tuple[int, int] = (60, 80)) -> Path:
    picture_file(folder / "000001.png", *size)
    (folder / "000001.txt").write_text(camera)
    return folder


def test_a_camera_by_hand(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no camera")
    (camera,) = read_dtu(scene(tmp_path)).cameras
    np.testing.assert_array_equal(camera.pose, [[0, 0, 1, 1], [0, 1, 0, 2], [-1, 0, 0, 3], [0, 0, 0, 1]])
    np.testing.assert_array_equal(camera.intrinsics, [[1440, 0, 320], [0, 1200, 256], [0, 0, 1]])
    assert (camera.height, camera.width, camera.depth) == (512, 640, None)
    assert camera.picture == tmp_path / "000001.png"
    np.testing.assert_allclose(camera.project(np.array([[2.0, -2, -1]])), [[320, 256]])


def test_depth_is_taken_along(tmp_path: Path) -> None:
    for suffix in (".pfm", ".npy"):
        (tmp_path / f"000001{suffix}").touch()
        assert read_dtu(scene(tmp_path)).cameras[0].depth == tmp_path / f"000001{suffix}"


@pytest.mark.parametrize(
    ("size", "crop"),
    [((1200, 1600), (160, 88, 1280, 1024)), ((600, 800), (80, 44, 640, 512)), ((512, 640), None), ((128, 160), None)],
)
def test_the_part_that_mvsnet_kept(tmp_path: Path, size: tuple[int, int], crop: tuple[int, ...] | None) -> None:
    assert read_dtu(scene(tmp_path, size=size)).cameras[0].crop == crop


@pytest.mark.parametrize(
    ("camera", "message"),
    [
        ("extrinsic\n1 2 3\n", "must be 'extrinsic', 16 numbers"),
        (CAMERA.replace("intrinsic", "intrinsics"), "must be 'extrinsic', 16 numbers"),
        (CAMERA.replace("360.0", "nan"), "000001.txt: numbers must be finite"),
        (CAMERA.replace("360.0", "x"), "'x' is not a number"),
        (CAMERA.replace("-1.0", "1.0"), "000001.txt: the rotation is a mirror image"),
        (CAMERA.replace("-1.0", "-3.0"), "000001.txt: the rotation's rows"),
        (CAMERA.replace("360.0 0.0", "360.0 1.0"), "no skew"),
        (CAMERA.replace("80.0", "823.2"), "not for 128x160"),
    ],
)
def test_what_is_refused(tmp_path: Path, camera: str, message: str) -> None:
    assert message in refused(read_dtu, scene(tmp_path, camera))


def test_the_part_is_one_of_the_stored_pixels(tmp_path: Path) -> None:
    folder = scene(tmp_path)
    (folder / "000001.png").unlink()
    turned_picture(folder / "000001.jpg", 6, 600, 800)
    (camera,) = read_dtu(folder, (0,)).cameras
    assert camera.crop == (80, 44, 640, 512)
    assert read_picture(camera).shape == (512, 640, 3)
    assert "so there is no camera 1" in refused(read_dtu, folder, (1,))


def test_folders_that_are_none(tmp_path: Path) -> None:
    assert "no such folder" in refused(read_dtu, tmp_path / "none")
    assert "no DTU cameras here" in refused(read_dtu, tmp_path)
    assert "neither DTU's 1200x1600 nor 512x640" in refused(read_dtu, scene(tmp_path, size=(60, 90)))
    (tmp_path / "000001.png").unlink()
    assert "its picture, 000001.jpg or .png, is missing" in refused(read_dtu, tmp_path)
