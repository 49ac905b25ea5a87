"""Cameras in the 3-D view are those of the session, and of no session before it."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from nvs_jax.studio.changes import with_path
from nvs_jax.studio.frustums import Frustums
from nvs_jax.studio.key_changes import add_key, delete_key
from nvs_jax.studio.keys import centre_of
from nvs_jax.studio.page import Page
from tests.studio.panes import Scene, aside
from tests.studio.sessions import photo_session


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture
def page(tmp_path, scene):
    page = Page(photo_session(tmp_path), pytest.fail)
    Frustums(SimpleNamespace(scene=scene, atomic=nullcontext), page)
    page.begin()
    assert page.wait()
    yield page
    page.close()


def test_every_frame_and_key_frame_has_one_where_it_stands(page, scene):
    assert len(scene.names("frame")) == 5
    assert not scene.names("key")
    page.change(add_key, aside(page.session, 1.0))
    assert page.wait()
    assert len(scene.names("key")) == 2
    np.testing.assert_allclose(scene.there["/key/1"].position, centre_of(aside(page.session, 1.0)))
    assert scene.there["/given/0"].fov == pytest.approx(2 * np.arctan(12 / page.session.scene.view.intrinsics[1, 1]))
    page.change(delete_key, 1)
    page.change(with_path, frames=3)
    assert page.wait()
    assert not scene.names("key")
    assert len(scene.names("frame")) == 3


def test_the_one_that_is_looked_at_has_its_warp(page, scene):
    page.look_at(3)
    assert page.wait()
    np.testing.assert_array_equal(scene.there["/here/0"].image, page.session.strip.pictures[3])
    np.testing.assert_allclose(scene.there["/here/0"].position, centre_of(page.session.track.poses[3]), atol=1e-6)


def test_of_a_long_path_not_all_are_shown(page, scene):
    page.change(with_path, frames=150, step_degrees=0.1)
    assert page.wait()
    assert len(scene.names("frame")) == 50
