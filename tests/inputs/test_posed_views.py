"""Posed scenes: which pictures and depth maps are taken, and in which units."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.inputs.posed_depth import NamedDepth, has_depth
from nvs_jax.inputs.posed_views import read_sources
from nvs_jax.inputs.view import DepthFile
from nvs_jax.media.cameras import CameraSet, PosedCamera, write_colmap
from nvs_jax.settings.presets import load_settings
from tests.inputs.test_depth import HEIGHT, WIDTH, write_scene
from tests.media.cameras.scenes import picture_file, turned_picture

SIDE = 64
SETTINGS = load_settings("fast", "views")
LENS = {"fl_x": 60, "fl_y": 60, "cx": 32, "cy": 32, "w": SIDE, "h": SIDE}
# In turn at depth 2 and 4, which a 16-bit PNG holds in steps of 1/5000.
DEPTHS = np.repeat(np.array([[2.0], [4.0]], np.float32), SIDE // 2, 0).repeat(SIDE, 1)


def named_scene(folder: Path, suffix: str = "png", stored: np.ndarray | None = None, **shared) -> Path:
    """A transforms.json of one frame that names its depth."""
    picture_file(folder / "images" / "a.png", SIDE, SIDE)
    values = DEPTHS if stored is None else stored
    if suffix == "png":
        Image.fromarray(np.round(values * 5000).astype(np.uint16)).save(folder / "a.png")
    else:
        np.save(folder / "a.npy", values)
    frame = {"file_path": "images/a.png", "depth_file_path": f"a.{suffix}", "transform_matrix": np.eye(4).tolist()}
    (folder / "transforms.json").write_text(json.dumps(LENS | shared | {"frames": [frame]}))
    return folder


def read(scene: Path, depth, chosen: tuple[int, ...] = (), settings=SETTINGS) -> np.ndarray:
    sources, _ = read_sources(scene, chosen, depth, settings, SIDE)
    return np.asarray(sources.depths)


def test_disparity_without_points_is_refused(tmp_path):
    scene = named_scene(tmp_path, "npy", 1 / DEPTHS)
    for depth in (NamedDepth("disparity"), DepthFile(tmp_path, "disparity")):
        with pytest.raises(InputError, match="no points seen in its pictures, to which disparity could be fitted"):
            read(scene, depth)
    released = load_settings("fast", "views", {"camera": {"disparity": {"rule": "release"}, "disparity_scale": 1.0}})
    np.testing.assert_allclose(read(scene, NamedDepth("disparity"), settings=released)[0], DEPTHS, rtol=1e-5)


def test_disparity_of_files_gets_the_units_of_the_points(tmp_path):
    true = write_scene(tmp_path, 60)
    (tmp_path / "maps").mkdir()
    for index, depth in enumerate(true):
        np.save(tmp_path / "maps" / f"{index}.npy", (3.0 + index) / depth + 0.2)
    found = read(tmp_path, DepthFile(tmp_path / "maps", "disparity"))
    assert found.shape == (2, HEIGHT, WIDTH)
    for one, depth in zip(found, true, strict=True):
        near = depth < 0.99 * one.max()
        assert np.abs(one / depth - 1)[near].max() < 0.01


def colmap_scene(folder: Path, names: tuple[str, ...]) -> Path:
    K = np.array([[60.0, 0, 32], [0, 60, 32], [0, 0, 1]])
    cameras = []
    for index, name in enumerate(names):
        pose = np.eye(4)
        pose[0, 3] = index
        cameras.append(PosedCamera(pose, K, SIDE, SIDE, picture_file(folder / "images" / name, SIDE, SIDE)))
        (folder / "depth" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save((folder / "depth" / name).with_suffix(".npy"), DEPTHS + index)
    write_colmap(folder / "sparse" / "0", CameraSet(tuple(cameras)), folder / "images", kind="text")
    return folder


def test_every_camera_of_a_rig_has_its_own_map(tmp_path):
    scene = colmap_scene(tmp_path, ("left/1.png", "right/1.png"))
    np.testing.assert_allclose(read(scene, DepthFile(scene / "depth", "depth")), [DEPTHS, DEPTHS + 1])
    np.testing.assert_allclose(read(scene, DepthFile(scene / "depth", "depth"), (1, 0)), [DEPTHS + 1, DEPTHS])
    shutil.move(scene / "depth" / "left" / "1.npy", scene / "depth" / "1.npy")
    shutil.rmtree(scene / "depth" / "right")
    with pytest.raises(InputError, match="may be of left/1 or of right/1"):
        read(scene, DepthFile(scene / "depth", "depth"))


def test_what_is_not_asked_for_need_not_be_there(tmp_path):
    scene = colmap_scene(tmp_path, ("a.png", "b.png"))
    (scene / "images" / "a.png").unlink()
    (scene / "depth" / "a.npy").unlink()
    (scene / "sparse" / "0" / "points3D.txt").unlink()
    np.testing.assert_allclose(read(scene, DepthFile(scene / "depth", "depth"), (1,))[0], DEPTHS + 1)
    assert not has_depth(scene, (1,))
    with pytest.raises(InputError, match=r"'a.png': its picture is not in .*; put it there, or choose cameras"):
        read(scene, DepthFile(scene / "depth", "depth"))


def test_the_model_that_is_read_is_named(tmp_path, capsys):
    scene = colmap_scene(tmp_path, ("a.png", "b.png"))
    shutil.copytree(scene / "sparse" / "0", scene / "sparse" / "1")
    (scene / "sparse" / "0" / "images.txt").write_text("1 1 0 0 0 0 0 0 1 a.png\n\n")
    assert len(read(scene, DepthFile(scene / "depth", "depth"))) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "sparse/1 is read as the scene, as the model of most pictures, 2; sparse/0 has 1" in line


@pytest.mark.parametrize(
    ("width", "said"),
    [(SIDE, "is read as it is stored"), (2 * SIDE, "is read as its EXIF orientation says: only so")],
)
def test_posed_pictures_are_turned_only_where_their_cameras_are(tmp_path, capsys, width, said):
    """Stored as 64 rows and columns, or as 64 rows of 128 pixels for a camera of 128 rows of 64."""
    turned_picture(tmp_path / "a.jpg", 6, SIDE, width)
    np.save(tmp_path / "a.npy", np.full((width, SIDE), 2.0, np.float32))
    frame = {"file_path": "a.jpg", "depth_file_path": "a.npy", "transform_matrix": np.eye(4).tolist()}
    (tmp_path / "transforms.json").write_text(json.dumps(LENS | {"h": width, "cy": width / 2, "frames": [frame]}))
    sources, view = read_sources(tmp_path, (), NamedDepth(), SETTINGS, SIDE)
    assert view.photo_size == (width, SIDE)
    top_left = np.asarray(sources.pictures)[0, 2, 2]
    np.testing.assert_allclose(top_left, [0, 1, 0] if width == SIDE else [1, 0, 0], atol=0.1)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "EXIF" in line]
    assert said in line
