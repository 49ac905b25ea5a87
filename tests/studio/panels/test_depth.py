"""Sliders of depth and lens are seen at once."""

import numpy as np
import pytest

from nvs_jax.studio.changes import with_camera
from nvs_jax.studio.panels.depth import depth_panel
from nvs_jax.studio.pictures import points_of
from tests.studio.panes import shown
from tests.studio.sessions import photo_session

FAR, NEAR, SCALE, RATIO = "far plane", "near plane", "scale", "far / near"


def test_the_lens_and_the_edges_are_set(tmp_path):
    with shown(photo_session(tmp_path), depth_panel) as (page, gui, _):
        kept = len(points_of(page.session).positions)
        picture = gui["depth; what is left out is marked"].image
        gui["lens"].value = 61.0
        gui["edges"].value = 89.5
        settings = page.session.job.settings
        assert (settings.camera.fov, settings.warp.max_tilt) == (61.0, 89.5)
        assert not gui["rule"].visible
        assert not gui["folder centred"].visible
        assert page.wait()
        assert len(points_of(page.session).positions) > kept
        assert (gui["depth; what is left out is marked"].image != picture).any()


def test_near_far_and_scale_of_disparity_are_seen_in_the_points(tmp_path):
    with shown(photo_session(tmp_path, "disparity"), depth_panel) as (page, gui, told):

        def spread() -> float:
            depth = page.session.scene.view.depth
            return float(depth.max() / depth.min())

        assert spread() == pytest.approx(2.0, rel=1e-3)
        gui[RATIO].value = 1.5
        assert spread() == pytest.approx(1.5, rel=1e-3)
        gui[SCALE].value = 3.0
        assert page.session.distance == pytest.approx(3.0)
        assert page.session.path.radius == (3.0, 3.0)
        gui[NEAR].value = 60.0
        gui[FAR].value = 2.0
        assert page.session.job.settings.camera.disparity.percentiles == (2.0, 60.0)
        gui[FAR].value = 70.0
        assert "percentiles must rise" in told[-1]
        assert gui[FAR].value == 2.0


def test_the_releases_rule_has_its_own_sliders(tmp_path):
    with shown(photo_session(tmp_path, "disparity"), depth_panel) as (page, gui, _):
        gui["rule"].value = "release"
        assert page.wait()
        assert (gui["folder centred"].visible, gui["folder release"].visible) == (False, True)
        gui["scale / disparity"].value = 500.0
        gui["farthest"].value = 200.0
        camera = page.session.job.settings.camera
        assert (camera.disparity_scale, camera.far) == (500.0, 200.0)
        assert float(np.max(page.session.scene.view.depth)) == 200.0
        page.change(with_camera, far=300.0)
        assert page.wait()
        assert gui["farthest"].value == 300.0
