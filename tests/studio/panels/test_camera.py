"""The camera's picture, the curve and the strip follow the session and the slider; a browser sees from where it is."""

import time

import numpy as np
import pytest

from nvs_jax.studio.changes import with_path
from nvs_jax.studio.flying import pose_of
from nvs_jax.studio.key_changes import add_key
from nvs_jax.studio.page import Page
from nvs_jax.studio.panels.camera import OwnViews, camera_panel
from nvs_jax.studio.pictures import enlarged
from tests.studio.panes import Browser, aside, shown
from tests.studio.sessions import photo_session


@pytest.fixture
def session(tmp_path):
    return photo_session(tmp_path)


def test_the_picture_is_that_of_the_frame_and_follows_the_path(session):
    with shown(session, camera_panel) as (page, gui, _):
        gui["frame"].value = 3
        assert page.wait()
        np.testing.assert_array_equal(gui["warp"].image, enlarged(page.session.strip.pictures[3]))
        before = gui["warp"].image, gui["along the path"].image, gui["holes by frame"].image
        page.change(with_path, step_degrees=9.0)
        assert page.wait()
        after = gui["warp"].image, gui["along the path"].image, gui["holes by frame"].image
        assert all((one != other).any() for one, other in zip(before, after, strict=True))
        assert "--path.step-degrees 9.0" in gui.text
        page.change(with_path, frames=2)
        assert page.wait()
        assert (gui["frame"].max, gui["frame"].value) == (1, 1)


def test_frames_of_which_more_than_half_is_invented_are_named(session):
    with shown(session, camera_panel) as (page, gui, _):
        assert "no frame is mostly invented" in gui.text
        page.change(with_path, step_degrees=40.0)
        assert page.wait()
        assert "more than half is invented in frames" in gui.text
        assert "holes, which the model fills" in gui.text


def test_it_plays_to_the_end_and_stops_when_it_is_pressed_again(session):
    at = []
    with shown(session, camera_panel) as (page, gui, _):
        page.change(with_path, frames=3)
        assert page.wait()
        page.fast.append(lambda session: at.append(page.number))
        gui["play"].press()
        assert page.wait()
        assert (at[-1], gui["frame"].value) == (2, 2)

        def press_again(_: object) -> None:
            if gui["frame"].value == 1:
                gui["play"].press()

        gui["frame"].on_update(press_again)
        start = time.monotonic()
        gui["play"].press()
        assert gui["frame"].value == 1
        assert time.monotonic() - start < 20


def test_each_browser_sees_from_where_it_is(session):
    page = Page(session, print)
    own = OwnViews(page)
    here, there = Browser(aside(session, 0.0)), Browser(aside(session, 2.0), 1)
    own.add(here)
    own.add(there)
    page.begin()
    assert page.wait()
    one, other = (next(iter(each.gui.widgets.values())) for each in (here, there))
    np.testing.assert_array_equal(one.image, enlarged(session.seen_from(aside(session, 0.0)).pictures[0]))
    np.testing.assert_array_equal(other.image, enlarged(session.seen_from(aside(session, 2.0)).pictures[0]))
    there.fly(aside(session, 1.0))
    assert page.wait()
    np.testing.assert_array_equal(other.image, enlarged(session.seen_from(aside(session, 1.0)).pictures[0]))
    own.remove(there)
    before = other.image
    there.fly(aside(session, 0.2))
    assert page.wait()
    assert other.image is before
    page.close()


def test_the_command_is_that_of_key_frames_too(session):
    with shown(session, camera_panel) as (page, gui, _):
        page.change(add_key, aside(session, 1.0))
        assert page.wait()
        assert "--path.kind file" in gui.text


def test_a_browser_flies_to_the_frame_that_is_looked_at(session):
    browser = Browser(aside(session, 1.0))
    with shown(session, camera_panel) as (page, gui, _):
        gui["frame"].value = 3
        gui["fly to this frame"].press(browser)
        np.testing.assert_allclose(pose_of(browser.camera), page.session.track.poses[3], atol=1e-6)
