"""From the release's input files through this project's readers to its warps."""

import jax.numpy as jnp
import numpy as np

from nvs_jax.inputs.camera_path import camera_path
from nvs_jax.inputs.posed_depth import NamedDepth
from nvs_jax.inputs.posed_views import read_sources
from nvs_jax.inputs.video import read_video
from nvs_jax.inputs.view import DepthFile
from nvs_jax.media import read_photo
from nvs_jax.settings.presets import load_settings
from nvs_jax.steering.legs import video_plan, views_plan


def assert_same_warp(warp, index, folder, name):
    stored = np.load(folder / "warp" / f"{name}.npz")
    valid = np.unpackbits(stored["valid"]).reshape(576, 1024).astype(bool)
    ours = np.asarray(warp.valid[index])
    assert (ours == valid).mean() >= 0.9999
    theirs = read_photo(folder / "warp" / f"{name}_warped.png")
    off = np.abs(np.asarray(warp.pictures[index]) - theirs).max(-1) > 1.01 / 255
    assert off[ours & valid].mean() <= 1e-3


def test_two_views_as_the_release(parity):
    settings = load_settings("reference", "views")
    sources, _ = read_sources(parity.parent / "data" / "two_view", (), NamedDepth(), settings, 64)
    plan = views_plan(sources, 25, settings)
    stored = np.load(parity / "warp" / "two_view_path.npz")
    np.testing.assert_allclose(sources.intrinsics[0], stored["K"], rtol=1e-6)
    np.testing.assert_allclose(plan.poses, stored["poses"], rtol=1e-5, atol=1e-4)
    conditions = plan.legs[0]([])
    distance = np.asarray(conditions.distance)
    np.testing.assert_allclose(distance / distance.max(), stored["dists"], atol=1e-6)
    for target in (6, 18):
        assert_same_warp(conditions.warp, target - 1, parity, f"two_view_t{target:02d}")


def test_video_as_the_release(parity):
    settings = load_settings("reference", "video")
    folder = parity.parent / "data" / "video"
    photos, depths, view = read_video(folder / "images", DepthFile(folder / "disparity", "disparity"), settings, 64)
    path = camera_path(settings.path, len(photos))
    plan = video_plan(photos, depths, jnp.asarray(view.intrinsics), path, 25, settings)
    assert_same_warp(plan.legs[0]([]).warp, 11, parity, "dynamic_f12_orbit15")
