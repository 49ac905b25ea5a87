"""Tanks and Temples, DTU's test scans and BlendedMVS, written as MVSNet has them."""

from pathlib import Path

import numpy as np
import pytest

from nvs_jax.media.cameras import PosedCamera, read_cameras, read_mvsnet, read_picture
from nvs_jax.media.cameras.detect import bare_photos
from tests.media.cameras.scenes import HEIGHT, WIDTH, picture_file, random_intrinsics, random_pose, refused


def camera_text(camera: PosedCamera, last: str) -> str:
    def lines(matrix: np.ndarray) -> str:
        return "\n".join(" ".join(map(repr, map(float, row))) for row in matrix)

    return f"extrinsic\n{lines(camera.pose)}\n\nintrinsic\n{lines(camera.intrinsics)}\n\n{last}\n"


def write_mvsnet(
    folder: Path, seeds: tuple[int, ...], pictures: str = "images", cams: str = "cams"
) -> tuple[PosedCamera, ...]:
    """A scene of cameras with random poses, with or without the number of planes in the last line."""
    (folder / cams).mkdir(parents=True)
    written = []
    for index, seed in enumerate(seeds):
        picture = picture_file(folder / pictures / f"{index:08}.jpg")
        camera = PosedCamera(random_pose(seed), random_intrinsics(seed), HEIGHT, WIDTH, picture)
        last = "0.45 0.0025" if index % 2 else "0.45 0.0025 192 0.93"
        (folder / cams / f"{index:08}_cam.txt").write_text(camera_text(camera, last))
        written.append(camera)
    (folder / "pair.txt").write_text("1\n0\n1 1 900.0\n")
    return tuple(written)


@pytest.mark.parametrize(("pictures", "cams"), [("images", "cams"), ("blended_images", "cams"), ("images", "cams_1")])
def test_a_scene_as_the_preprocessed_sets_have_it(tmp_path: Path, pictures: str, cams: str) -> None:
    written = write_mvsnet(tmp_path, (1, 2, 3), pictures, cams)
    assert not bare_photos(tmp_path)
    for camera, true in zip(read_cameras(tmp_path).cameras, written, strict=True):
        np.testing.assert_allclose(camera.pose, true.pose, atol=1e-9)
        np.testing.assert_array_equal(camera.intrinsics, true.intrinsics)
        assert (camera.height, camera.width, camera.picture, camera.depth) == (HEIGHT, WIDTH, true.picture, None)
        assert read_picture(camera).shape == (HEIGHT, WIDTH, 3)
    (tmp_path / pictures / "00000000.jpg").unlink()  # of a camera that is not asked for
    assert [camera.picture for camera in read_cameras(tmp_path, (2, 1)).cameras] == [
        written[2].picture,
        written[1].picture,
    ]


def test_depth_of_blendedmvs_is_taken_along(tmp_path: Path) -> None:
    write_mvsnet(tmp_path, (1, 2), "blended_images")
    maps = tmp_path / "rendered_depth_maps"
    maps.mkdir()
    (maps / "00000001.pfm").touch()
    assert [camera.depth for camera in read_mvsnet(tmp_path).cameras] == [None, maps / "00000001.pfm"]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    assert "no cameras of MVSNet here" in refused(read_mvsnet, tmp_path)
    (camera,) = write_mvsnet(tmp_path, (1,))
    picture_file(tmp_path / "images" / "00000000.jpg", HEIGHT // 4, WIDTH // 4)
    assert "lies outside of 00000000.jpg of 12x16" in refused(read_mvsnet, tmp_path)
    (tmp_path / "images" / "00000000.jpg").unlink()
    assert "its picture, images/00000000.jpg or .png, is missing" in refused(read_mvsnet, tmp_path)
    file = tmp_path / "cams" / "00000000_cam.txt"
    file.write_text(camera_text(camera, "1 2").replace("intrinsic", ""))
    assert "00000000_cam.txt: must be 'extrinsic', 16 numbers" in refused(read_mvsnet, tmp_path)
