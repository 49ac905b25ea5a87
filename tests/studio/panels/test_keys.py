"""Key frames are set by flying there."""

import numpy as np
import pytest

from nvs_jax.studio.flying import pose_of
from nvs_jax.studio.keys import centre_of
from nvs_jax.studio.panels.keys import keys_panel
from tests.studio.panes import Browser, aside, shown
from tests.studio.sessions import photo_session


@pytest.fixture
def session(tmp_path):
    return photo_session(tmp_path)


def test_key_frames_are_added_moved_and_deleted(session):
    one, other = Browser(aside(session, 0.5)), Browser(aside(session, 1.5))
    with shown(session, keys_panel) as (page, gui, _):
        assert not gui["folder one of them"].visible
        gui["add one here"].press(one)
        gui["add one here"].press(other)
        assert page.wait()
        assert gui["folder one of them"].visible
        assert "3 key frames" in gui.text
        gui["key frame"].value = 2
        gui["move it here"].press(one)
        np.testing.assert_allclose(centre_of(page.session.keys[2]), one.camera.position, atol=1e-6)
        gui["fly there"].press(other)
        np.testing.assert_allclose(pose_of(other.camera), page.session.keys[2], atol=1e-6)
        gui["keep what is in the middle"].value = True
        assert page.session.follows
        gui["delete it"].press()
        assert len(page.session.keys) == 2
        gui["none: the path of the settings"].press()
        assert page.session.keys == ()
        assert page.wait()
        assert not gui["folder one of them"].visible


def test_a_path_is_taken_apart(session):
    with shown(session, keys_panel) as (page, gui, told):
        gui["how many"].value = 3
        gui["take so many from the path"].press()
        assert len(page.session.keys) == 3
        assert page.wait()
        assert gui["key frame"].max == 2
        gui["how many"].value = 12
        gui["take so many from the path"].press()
        assert "12 key frames of 5 frames" in told[-1]


def test_the_given_views_pose_stays(session):
    with shown(session, keys_panel) as (_, gui, told):
        gui["delete it"].press()
        assert "there is no key frame 1" in told[-1]
