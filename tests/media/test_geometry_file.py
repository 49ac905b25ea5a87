import json
from pathlib import Path

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.media import read_depth
from nvs_jax.media.geometry_file import read_geometry, recorded_focal, stored_picture
from tests.media import geometry_writers as written
from tests.media.geometry_writers import DEPTHS, PICTURES, H, K, N, W

WRITERS = {
    "vggt": written.vggt,
    "depth anything 3": written.depth_anything_3,
    "megasam": written.megasam,
}


@pytest.mark.parametrize("program", WRITERS)
def test_depth_cameras_and_pictures_as_the_program_writes_them(tmp_path: Path, program: str) -> None:
    path = WRITERS[program](tmp_path / "predictions.npz")
    geometry = read_geometry(path)
    assert (geometry.maps.count, geometry.maps.size, geometry.normalised) == (N, (H, W), False)
    assert geometry.poses is not None and geometry.intrinsics is not None
    np.testing.assert_allclose(geometry.poses, written.poses(), atol=1e-6)
    np.testing.assert_allclose(geometry.intrinsics, np.tile(K, (N, 1, 1)), rtol=1e-6)
    for index in (2, 0):
        np.testing.assert_allclose(read_depth(path, "depth", index=index), DEPTHS[index], atol=1e-6)
        np.testing.assert_allclose(stored_picture(path, index), PICTURES[index] / 255, atol=1e-6)


def test_several_maps_are_not_one_photos(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="maps of several pictures are for"):
        read_depth(written.vggt(tmp_path / "predictions.npz"), "depth")
    with pytest.raises(InputError, match="holds 3 maps, so there is no map 3"):
        read_depth(tmp_path / "predictions.npz", "depth", index=3)


def test_moge_says_where_depth_is_known_and_what_the_camera_was(tmp_path: Path) -> None:
    path = written.moge(tmp_path / "out.npz")
    known = np.where(np.arange(H)[:, None] < 5, 0, DEPTHS[0])
    np.testing.assert_array_equal(read_depth(path, "depth"), known)
    geometry = read_geometry(path)
    assert geometry.normalised and geometry.poses is None and geometry.intrinsics is not None
    np.testing.assert_allclose(geometry.intrinsics[0], K, rtol=1e-6)
    focal, source = recorded_focal(path)
    assert (focal, source) == (pytest.approx(40 / W), path)


def test_moges_folder_of_maps(tmp_path: Path) -> None:
    path = written.moge_folder(tmp_path / "photo")
    np.testing.assert_array_equal(read_depth(path, "depth"), np.where(np.arange(H)[:, None] < 5, 0, DEPTHS[0]))
    focal, source = recorded_focal(path)
    assert (focal, source) == (pytest.approx(0.5 / np.tan(np.radians(30))), path.parent / "fov.json")
    for said in ({"fov_x": 400}, {"fov_y": 3}, []):
        (path.parent / "fov.json").write_text(json.dumps(said))
        with pytest.raises(InputError, match="fov_x"):
            recorded_focal(path)


def test_a_mask_of_other_pixels_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", depth=DEPTHS[0], mask=np.ones((3, 4), bool))
    with pytest.raises(InputError, match=r"'mask' is .3, 4., which are not the pixels of its maps"):
        read_depth(tmp_path / "d.npz", "depth")


def test_cameras_that_are_not_of_the_maps_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    for name, wrong in (
        ("extrinsic", np.zeros((2, 3, 4))),
        ("intrinsic", np.zeros((N, 4, 4))),
        ("cam_c2w", np.eye(4)[0]),
    ):
        np.savez(path, allow_pickle=False, depth=DEPTHS, **{name: wrong})
        with pytest.raises(InputError, match=f"'{name}' must be"):
            read_geometry(path)
    np.savez(path, depth=DEPTHS, extrinsic=np.full((N, 3, 4), np.nan))
    with pytest.raises(InputError, match="'extrinsic' holds numbers that are not finite"):
        read_geometry(path)
    np.savez(path, depth=DEPTHS, images=PICTURES.astype(np.float32))
    with pytest.raises(InputError, match="'images' must be bytes, or numbers from 0 to 1"):
        stored_picture(path, 0)
    assert recorded_focal(path) == (None, path)
