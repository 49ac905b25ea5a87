from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.inputs.posed_depth import NamedDepth, has_depth
from nvs_jax.inputs.posed_views import read_sources
from nvs_jax.media.cameras import read_cameras, read_picture
from nvs_jax.settings.presets import load_settings
from tests.media import geometry_writers as written
from tests.media.geometry_writers import DEPTHS, PICTURES, H, K, N, W


@pytest.mark.parametrize("name", ["predictions.npz", "results.npz", "mine.npz"])
def test_a_scene_is_found_by_what_the_file_holds(tmp_path: Path, name: str) -> None:
    write = written.vggt if name == "predictions.npz" else written.depth_anything_3
    path = write(tmp_path / name)
    scene = read_cameras(path if name == "mine.npz" else tmp_path, (2, 0))
    np.testing.assert_allclose(scene.poses, written.poses()[[2, 0]], atol=1e-6)
    for camera, index in zip(scene.cameras, (2, 0), strict=True):
        np.testing.assert_allclose(camera.intrinsics, K, rtol=1e-6)
        np.testing.assert_allclose(read_picture(camera), PICTURES[index] / 255, atol=1e-6)
    assert "3 cameras, and 'depth' as depth in their units, 28x42" in scene.notes[0]


def test_the_views_of_a_geometry_model_are_rendered_with_its_own_depth(tmp_path: Path) -> None:
    path = written.vggt(tmp_path / "predictions.npz")
    assert has_depth(path)
    settings = load_settings("fast", "views", {"picture": {"size": [H, W]}})
    sources, view = read_sources(path, (), NamedDepth(), settings, 14)
    np.testing.assert_allclose(sources.depths, DEPTHS, rtol=1e-5)
    np.testing.assert_allclose(sources.pictures, PICTURES / 255, atol=1e-5)
    assert view.depth_kind == "depth" and not view.estimated


def test_pictures_beside_the_file_where_it_has_none(tmp_path: Path) -> None:
    path = written.depth_anything_3(tmp_path / "results.npz", pictures=None)
    with pytest.raises(InputError, match="3 cameras and no pictures; put the 3 pictures into a folder images/"):
        read_cameras(path)
    (tmp_path / "images").mkdir()
    for index, picture in enumerate(PICTURES):  # larger, and not quite of the rounded shape
        Image.fromarray(picture).resize((400, 270)).save(tmp_path / "images" / f"{index}.jpg")
    scene = read_cameras(path)
    assert [camera.picture for camera in scene.cameras] == [tmp_path / "images" / f"{i}.jpg" for i in range(N)]
    assert read_picture(scene.cameras[0]).shape == (270, 400, 3)
    settings = load_settings("fast", "views", {"picture": {"size": [112, 168]}})
    sources, _ = read_sources(path, (1,), NamedDepth(), settings, 14)
    # Halfway between two pixels of a map they are mixed or the nearer one is taken: nothing beyond their range.
    found = np.asarray(sources.depths)
    assert DEPTHS[1].min() * 0.9999 < found.min() and found.max() < DEPTHS[1].max() * 1.0001  # float32


def test_a_file_without_cameras_says_where_it_belongs(tmp_path: Path) -> None:
    path = written.moge(tmp_path / "photo.npz")
    with pytest.raises(InputError, match=r"holds no cameras .* goes to --depth of `nvs-jax single`"):
        read_cameras(path)
    path.write_bytes(b"PK" + bytes(60))
    with pytest.raises(InputError, match=r"photo\.npz: cannot be read"):
        read_cameras(path)
