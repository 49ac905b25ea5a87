"""Sliders change the path, and show it where it has been changed otherwise."""

import threading

import pytest

from nvs_jax.studio.changes import fit_radius, with_path
from nvs_jax.studio.key_changes import add_key
from nvs_jax.studio.panels.path import PATH_FIELDS, path_panel
from tests.studio.panes import aside, shown
from tests.studio.sessions import photo_session


@pytest.fixture
def session(tmp_path):
    return photo_session(tmp_path)


def test_sliders_change_the_path_and_the_page_follows(session):
    with shown(session, path_panel) as (page, gui, _):
        gui["orbit/step degrees"].value = 2.5
        gui["line/start"].value = 6.0
        gui["line/end x"].value = 5.0
        gui["kind"].value = "line"
        gui["frames"].value = 9
        path = page.session.path
        assert (path.kind, path.step_degrees, path.start, path.end) == ("line", 2.5, 6.0, (5.0, 2.0, -10.0))
        assert path.frames == 9
        assert page.wait()
        assert (gui["folder line"].visible, gui["folder orbit"].visible) == (True, False)
        page.change(with_path, kind="orbit", radius=(5.0, 6.5))
        assert page.wait()
        assert (gui["kind"].value, gui["orbit/radius x"].value, gui["orbit/radius z"].value) == ("orbit", 5.0, 6.5)
        assert (gui["folder line"].visible, gui["folder orbit"].visible) == (False, True)


@pytest.mark.parametrize("kind", [kind for kind in PATH_FIELDS if kind not in ("file", "full-turn")])
def test_every_kind_of_path_has_its_sliders(session, kind):
    session = fit_radius(with_path(session, radius=(60.0, 60.0)))
    with shown(session, path_panel) as (page, gui, told):
        gui["kind"].value = kind
        assert page.wait()
        assert page.session.path.kind == kind
        assert [each for each in PATH_FIELDS if gui[f"folder {each}"].visible] == [kind]
        for name in PATH_FIELDS[kind]:
            assert any(label.startswith(f"{kind}/{name.replace('_', ' ')}") for label in gui.widgets), name
        assert not told


def test_fast_moves_of_a_slider_are_not_undone_by_what_is_shown_late(session):
    """The page shows the session some time after a move, when the slider is elsewhere already."""
    hold, shows = threading.Event(), threading.Event()
    with shown(session, path_panel) as (page, gui, _):

        def slow(_: object) -> None:
            shows.set()
            assert hold.wait(20)

        page.fast.insert(0, slow)
        gui["kind"].value = "line"
        assert shows.wait(20)
        gui["orbit/step degrees"].value = 3.0
        gui["kind"].value = "spiral"
        hold.set()
        assert page.wait()
        assert (gui["kind"].value, page.session.path.kind) == ("spiral", "spiral")
        assert (gui["orbit/step degrees"].value, page.session.path.step_degrees) == (3.0, 3.0)


def test_what_is_refused_goes_back(session):
    with shown(session, path_panel) as (page, gui, told):
        gui["kind"].value = "dolly-zoom"
        assert page.session.path.travel == pytest.approx(20 * 6 / 70, rel=1e-3)
        gui["dolly-zoom/travel"].value = 7.0
        assert "a dolly-zoom must stay in front of the origin" in told[-1]
        assert gui["dolly-zoom/travel"].value == page.session.path.travel != 7.0


def test_a_slider_makes_room_for_a_value_beyond_its_ends(session):
    with shown(session, path_panel) as (page, gui, _):
        assert gui["orbit/radius z"].max < 50
        page.change(with_path, radius=(60.0, 70.0))
        assert page.wait()
        assert (gui["orbit/radius z"].max, gui["orbit/radius z"].value) == (70.0, 70.0)


def test_the_radius_is_fitted_by_a_button_and_the_scale_is_told(session):
    with shown(session, path_panel) as (page, gui, _):
        assert "the middle of the picture is 4 away, the path is about a point 6 away" in gui.text
        gui["fit the radius to the scene"].press()
        assert page.wait()
        assert page.session.path.radius == (4.0, 4.0)
        assert "the path is about a point 4 away" in gui.text


def test_a_path_is_saved_and_opened_by_buttons(session, tmp_path):
    with shown(session, path_panel) as (page, gui, told):
        gui["file"].value = str(tmp_path / "path.json")
        gui["save the path"].press()
        gui["open a path"].press()
        assert page.session.path.file == tmp_path / "path.json"
        assert page.wait()
        assert gui["kind"].value == "file"
        assert not gui["folder orbit"].visible
        gui["kind"].value = "orbit"
        gui["file"].value = str(tmp_path / "none.json")
        gui["kind"].value = "file"
        assert "none.json" in told[-1]
        assert gui["kind"].value == "orbit"


def test_settings_of_the_path_are_not_there_for_key_frames(session):
    with shown(session, path_panel) as (page, gui, _):
        page.change(add_key, aside(session, 1.0))
        assert page.wait()
        assert not gui["folder orbit"].visible
