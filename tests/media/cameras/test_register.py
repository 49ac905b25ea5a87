"""Poses of photos: found again for a painted corner, and why there are none otherwise."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.evaluation.trajectories import centres, rotation_angles, umeyama
from nvs_jax.media.cameras import read_cameras
from nvs_jax.media.cameras.colmap.register import register_photos
from nvs_jax.media.cameras.detect import bare_photos
from tests.media.cameras.rooms import FOCAL, HEIGHT, WIDTH, poses_beside, write_photos


def test_poses_of_a_painted_corner_are_found(tmp_path: Path) -> None:
    true = poses_beside(5)
    photos = write_photos(tmp_path / "photos", true)
    found = register_photos(photos, tmp_path / "scene", FOCAL / WIDTH)
    assert found.names == tuple(f"{index:02}.png" for index in range(5)) and not found.left_out
    assert found.error < 1 and found.points > 50
    assert "5 of 5 photos registered" in str(found) and "given" in str(found)
    scene = read_cameras(tmp_path / "scene")
    poses = umeyama(centres(scene.poses), centres(true)).poses(scene.poses)
    turned = rotation_angles(poses[:, :3, :3] @ np.swapaxes(true[:, :3, :3], 1, 2))
    off = np.linalg.norm(centres(poses) - centres(true), axis=-1)
    # Of a path 1 long at a distance of 4; the focal length, which is refined, turns with the cameras.
    assert turned.max() < 0.5 and off.max() < 0.01
    assert scene.points is not None and scene.observations is not None
    guessed = register_photos(photos, tmp_path / "guessed")
    assert guessed.focal_from == "guessed and refined"
    # The guess, 1.2 of the width, is half as long again as the truth.
    assert guessed.focal == pytest.approx(FOCAL / WIDTH, rel=0.1)


def test_a_focal_length_that_is_recorded_is_where_the_search_begins(tmp_path: Path) -> None:
    exif = Image.Exif()
    # Of the diagonal of a 3:4 picture, 300 pixels, 43.27 mm: 200 pixels are 28.8 mm, which are recorded as 29.
    exif[0x8769] = {0xA405: 29}
    photos = write_photos(tmp_path / "photos", poses_beside(2, step=1.0), exif=exif)
    found = register_photos(photos, tmp_path / "scene")
    assert found.focal == pytest.approx(29 / 43.27 * 300 / WIDTH, rel=1e-3)  # two photos do not determine it
    assert found.focal_from == "recorded"
    assert register_photos(photos, tmp_path / "other", focal=FOCAL / WIDTH).focal_from == "given"


def test_a_camera_that_only_turns_is_told(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", poses_beside(4, step=0.0, turn=4.0))
    with pytest.raises(InputError, match="taken from one place: a camera that only turns sees no depth"):
        register_photos(photos, tmp_path / "scene")


def test_photos_of_nothing_in_common_are_told(tmp_path: Path) -> None:
    photos = []
    for index in range(2):
        noise = np.random.default_rng(index).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        photos.append(tmp_path / f"{index}.png")
        Image.fromarray(noise).save(photos[-1])
    with pytest.raises(InputError, match=r"no two of the 2 photos show enough of the same: .* 15 are needed"):
        register_photos(photos, tmp_path / "scene")


def test_what_cannot_be_registered_is_said_before_any_work(tmp_path: Path, monkeypatch) -> None:
    photos = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "a.jpg"]
    with pytest.raises(InputError, match=r"a\.png is one photo, which has no poses to find: `nvs-jax single`"):
        register_photos(photos[:1], tmp_path / "scene")
    with pytest.raises(InputError, match="two photos called a"):
        register_photos(photos, tmp_path / "scene")
    with pytest.raises(InputError, match="more than the 200 whose pairs are all compared"):
        register_photos(photos * 80, tmp_path / "scene")
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    with pytest.raises(InputError, match=r"need pycolmap, which finds them: pip install 'nvs-jax\[poses\]'"):
        register_photos(photos[:2], tmp_path / "scene")
    assert not (tmp_path / "scene").exists()


def test_only_a_folder_of_photos_alone_is_bare(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.PNG", ".hidden.png", "notes.txt"):
        (tmp_path / name).write_text("")
    assert bare_photos(tmp_path) == [tmp_path / "a.PNG", tmp_path / "b.jpg"]
    assert bare_photos(tmp_path / "a.PNG") == []
    for name in ("transforms.json", "Rs.npy", "poses_bounds.npy", "predictions.npz"):
        (tmp_path / name).write_text("")
        assert bare_photos(tmp_path) == []
        (tmp_path / name).unlink()
