"""Files of depth become scene units, the settings of a camera its K."""

from dataclasses import replace

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.inputs.view import DepthFile, EstimatedDepth, fit_view
from nvs_jax.settings import CameraSettings, PictureSettings, RenderSettings
from nvs_jax.settings.presets import load_settings


def view_of(tmp_path, values, kind, **picture):
    np.save(tmp_path / "map.npy", values.astype(np.float32))
    photo = np.zeros((*values.shape, 3), np.float32)
    settings = RenderSettings(picture=PictureSettings(**picture))
    return fit_view(photo, DepthFile(tmp_path / "map.npy", kind), settings, 64)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_one_zero_in_a_disparity_map_does_not_flatten_the_scene(tmp_path, fit):
    """A sky of exact zeros is the rule: it is the far plane, ten times as far as the near one."""
    rows = np.arange(576)[:, None] / 575
    disparity = np.broadcast_to(0.01 + rows**1.8, (576, 1024)).copy()
    whole = view_of(tmp_path, disparity, "disparity", fit=fit).depth
    disparity[0, 0] = 0
    depth = view_of(tmp_path, disparity, "disparity", fit=fit).depth
    assert len(np.unique(depth)) > 500
    np.testing.assert_allclose(depth, whole, rtol=1e-4)
    np.testing.assert_allclose([depth.min(), np.median(depth[288]), depth.max()], [25.1, 70, 251], rtol=0.01)
    disparity[:100] = 0
    depth = view_of(tmp_path, disparity, "disparity", fit=fit).depth
    np.testing.assert_allclose(depth[:100], depth.max(), rtol=1e-5)
    assert depth.max() / depth.min() == pytest.approx(10, rel=1e-3)


def test_zeros_of_a_depth_map_are_unknown(tmp_path):
    depth = np.full((64, 64), 3.0)
    depth[10, 10] = 0
    fitted = view_of(tmp_path, depth, "depth").depth
    assert np.isinf(fitted[10, 10])
    assert (fitted == 3).sum() == 64 * 64 - 1
    for empty in (np.where(depth > 0, 1e30, 0), np.where(depth == 0, 1e13, 0)):
        with pytest.raises(InputError, match="no depth is known"):
            view_of(tmp_path, empty, "depth")


@pytest.mark.parametrize("fit", ["crop", "pad", "resize"])
@pytest.mark.parametrize("size", [(576, 1024), (300, 400), (640, 130)])
def test_the_axis_meets_the_middle_of_the_picture(size, fit):
    """(0, 0) is the centre of the first pixel, so that a mirrored photo has the mirrored camera."""
    photo, depth = np.zeros((*size, 3), np.float32), EstimatedDepth(lambda p: np.ones(p.shape[:3], np.float32), "depth")
    settings = RenderSettings(picture=PictureSettings(size=(64, 128), fit=fit))
    K = fit_view(photo, depth, settings, 64).intrinsics
    np.testing.assert_allclose(K[:2, 2], [63.5, 31.5], atol=1e-4 if fit != "pad" else 0.51)  # padded by whole pixels
    release = replace(settings, camera=CameraSettings(principal="release"))
    np.testing.assert_allclose(fit_view(photo, depth, release, 64).intrinsics[:2, 2] - K[:2, 2], 0.5, atol=1e-5)


def test_the_release_keeps_its_own_axis():
    for mode in ("single", "video", "views"):
        assert load_settings("reference", mode).camera.principal == "release"
    assert load_settings("fast").camera.principal == load_settings("paper").camera.principal == "middle"
