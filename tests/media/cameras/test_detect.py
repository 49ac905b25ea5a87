from pathlib import Path

import numpy as np

from nvs_jax.media.cameras import read_cameras, write_colmap, write_poses, write_transforms
from nvs_jax.media.cameras.detect import bare_photos
from tests.media.cameras import test_dtu, test_tanks
from tests.media.cameras.scenes import assert_same_cameras, picture_file, random_scene, refused


def test_transforms(tmp_path: Path) -> None:
    scene = random_scene(tmp_path, 0, shared_lens=True)
    for name in ("cameras_of_mine.json", "transforms.json"):
        write_transforms(tmp_path / name, scene)
        assert_same_cameras(read_cameras(tmp_path / name), scene)
    assert_same_cameras(read_cameras(str(tmp_path)), scene)


def test_colmap(tmp_path: Path) -> None:
    scene = random_scene(tmp_path, 0, shared_lens=False)
    write_colmap(tmp_path / "sparse" / "0", scene)
    for folder in (tmp_path, tmp_path / "sparse" / "0"):
        again = read_cameras(folder)
        assert_same_cameras(again, scene)
        assert [camera.picture for camera in again.cameras] == [camera.picture for camera in scene.cameras]


def test_tanks_and_dtu(tmp_path: Path) -> None:
    for name, module in (("tanks", test_tanks), ("dtu", test_dtu)):
        (tmp_path / name).mkdir()
        module.scene(tmp_path / name)
    assert len(read_cameras(tmp_path / "tanks").cameras) == 4
    assert read_cameras(tmp_path / "dtu").cameras[0].height == 512


def test_nothing_there(tmp_path: Path) -> None:
    assert "no such file or folder" in refused(read_cameras, tmp_path / "none")
    message = refused(read_cameras, tmp_path)
    for looked_for in ("transforms.json", "cameras.bin", "sparse/0", "Rs.npy", "extrinsic"):
        assert looked_for in message
    write_poses(tmp_path / "poses.txt", np.eye(4)[None])
    assert "holds no cameras" in refused(read_cameras, tmp_path / "poses.txt")


def test_llff_is_named(tmp_path: Path) -> None:
    (tmp_path / "poses_bounds.npy").touch()
    assert "LLFF's poses_bounds.npy is not read" in refused(read_cameras, tmp_path)


def test_chosen_cameras_in_every_format(tmp_path: Path) -> None:
    scene = random_scene(tmp_path / "json", 0, shared_lens=True)
    write_transforms(tmp_path / "json" / "transforms.json", scene)
    write_colmap(tmp_path / "colmap", scene)
    (tmp_path / "tanks").mkdir()
    test_tanks.scene(tmp_path / "tanks")
    for name in ("json", "colmap", "tanks"):
        whole = read_cameras(tmp_path / name)
        chosen = read_cameras(tmp_path / name, (2, 0), points=False)
        np.testing.assert_array_equal(chosen.poses, whole.poses[[2, 0]])
        assert chosen.points is None
        assert "so there is no camera 9" in refused(read_cameras, tmp_path / name, (9,))


def test_photos_that_no_one_can_read_are_named_and_those_in_images_found(tmp_path: Path) -> None:
    picture_file(tmp_path / "images" / "a.jpg")
    assert f"`nvs-jax views {tmp_path}/images` finds those of the photos" in refused(read_cameras, tmp_path)
    assert bare_photos(tmp_path / "images") == [tmp_path / "images" / "a.jpg"]
    (tmp_path / "images" / "b.HEIC").touch()
    assert "b.HEIC: HEIC pictures cannot be read" in refused(bare_photos, tmp_path / "images")
