"""Panels change the session, and follow it."""

from types import SimpleNamespace

import numpy as np
import pytest

from nvs_jax.studio.changes import add_key, with_path
from nvs_jax.studio.keys import centre_of, posed
from nvs_jax.studio.page import Page
from nvs_jax.studio.panels import Looking, camera_of, camera_panel, depth_panel, keys_panel, path_panel
from tests.studio.panes import Gui
from tests.studio.sessions import photo_session


@pytest.fixture
def gui():
    return Gui()


@pytest.fixture
def page(tmp_path, gui):
    told: list[str] = []
    page = Page(photo_session(tmp_path), told.append)
    camera_panel(gui, page, Looking())
    path_panel(gui, page)
    keys_panel(gui, page, lambda client, pose: setattr(client, "flown", pose))
    depth_panel(gui, page)
    page.begin()
    yield page
    page.close()
    assert not [line for line in told if "Error" in line]


def browser(session, aside):
    given = np.asarray(session.track.poses[0], np.float64)
    centre = centre_of(given) + given[0, :3] * aside
    # The given view looks along -z with y down: half a turn about y.
    return SimpleNamespace(camera=SimpleNamespace(position=centre, wxyz=quaternion(given)), flown=None)


def quaternion(pose):
    from nvs_jax.studio.server import quaternion_of

    return quaternion_of(pose)


def test_sliders_change_the_path_and_the_page_follows(page, gui):
    gui.widgets["step degrees"].value = 2.5
    assert page.session.job.settings.path.step_degrees == 2.5
    gui.widgets["start"].value = 6.0
    gui.widgets["end"].value = (5.0, 0.5, 1.0)
    gui.widgets["kind"].value = "line"
    assert page.wait()
    assert page.session.job.settings.path.kind == "line"
    assert "--path.kind line" in gui.text
    assert "holes, which the model fills" in gui.text
    assert gui.widgets["end"].visible
    assert not gui.widgets["radius"].visible
    gui.widgets["frames"].value = 9
    assert page.wait()
    assert gui.widgets["frame"].max == 8
    page.change(with_path, kind="orbit", radius=(5.0, 6.0))
    assert page.wait()
    assert (gui.widgets["kind"].value, gui.widgets["radius"].value) == ("orbit", (5.0, 6.0))


def test_the_frame_that_is_looked_at_is_the_paths(page, gui):
    gui.widgets["frame"].value = 3
    assert page.wait()
    live = gui.widgets[next(name for name in gui.widgets if name.startswith("image"))]
    np.testing.assert_array_equal(live.image, page.session.strip.pictures[3])


def test_key_frames_are_set_by_flying_there(page, gui):
    one, other = browser(page.session, 0.5), browser(page.session, 1.5)
    gui.widgets["add one here"].press(one)
    assert len(page.session.keys) == 2
    gui.widgets["key frame"].value = 1
    gui.widgets["move it here"].press(other)
    np.testing.assert_allclose(centre_of(page.session.keys[1]), other.camera.position, atol=1e-6)
    gui.widgets["fly there"].press(one)
    np.testing.assert_allclose(one.flown, page.session.keys[1])
    gui.widgets["keep what is in the middle"].value = True
    assert page.session.follows
    assert page.wait()
    assert "2 key frames" in gui.text
    assert not gui.widgets["radius"].visible
    gui.widgets["delete it"].press()
    assert page.session.keys == ()


def test_a_path_is_saved_and_opened_by_buttons(page, gui, tmp_path):
    gui.widgets["file"].value = str(tmp_path / "path.json")
    gui.widgets["save the path"].press()
    gui.widgets["open a path"].press()
    assert page.session.job.settings.path.file == tmp_path / "path.json"
    assert page.wait()
    assert gui.widgets["kind"].value == "file"


def test_the_lens_and_the_edges_are_set(page, gui):
    gui.widgets["fov"].value = 61.0
    gui.widgets["max tilt"].value = 70.0
    settings = page.session.job.settings
    assert (settings.camera.fov, settings.warp.max_tilt) == (61.0, 70.0)
    assert not gui.widgets["percentiles"].visible
    assert page.wait()


def test_a_browsers_camera_is_a_pose(tmp_path):
    session = photo_session(tmp_path)
    client = browser(session, 0.0)
    np.testing.assert_allclose(camera_of(client), session.track.poses[0], atol=1e-6)
    pose = posed(camera_of(client)[:3, :3], np.zeros(3))
    assert len(add_key(session, pose).keys) == 2
