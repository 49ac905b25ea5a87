"""The page without a browser: changes that come fast are not shown one by one, and a mistake ends nothing."""

import threading

import pytest

from nvs_jax.errors import InputError
from nvs_jax.studio.changes import with_path
from nvs_jax.studio.page import Page, when_new
from tests.studio.sessions import photo_session


@pytest.fixture
def session(tmp_path):
    return photo_session(tmp_path)


def test_of_fast_changes_the_last_one_is_shown(session):
    go, seen, all_of = threading.Event(), [], []

    def fast(shown):
        assert go.wait(20)
        seen.append(shown.settings.path.step_degrees)

    page = Page(session, [].append)
    page.fast.append(fast)
    page.slow.append(lambda shown: all_of.append(shown.settings.path.step_degrees))
    page.begin()
    for number in range(50):
        assert page.change(with_path, step_degrees=float(number))
    go.set()
    assert page.wait()
    assert seen[-1] == all_of[-1] == 49.0
    assert len(seen) <= 3
    page.close()


def test_a_mistake_is_told_and_leaves_the_session(session):
    told = []
    page = Page(session, told.append)
    assert not page.change(with_path, radius=(0.0, 0.0))
    assert page.session is session
    assert "path.radius must lie between" in told[0]


def test_what_cannot_be_shown_is_told_and_the_next_change_is_shown(session, capsys):
    told, shown = [], []

    def fast(one):
        degrees = one.settings.path.step_degrees
        if degrees == 7.0:
            raise ValueError("broken")
        if degrees == 8.0:
            raise InputError("not this one")
        shown.append(degrees)

    page = Page(session, told.append)
    page.fast.append(fast)
    page.begin()
    for degrees in (7.0, 8.0, 9.0):
        assert page.wait()
        page.change(with_path, step_degrees=degrees)
        assert page.wait()
    assert told == ["ValueError: broken", "not this one"]
    assert shown[-1] == 9.0
    assert "Traceback" in capsys.readouterr().err
    page.close()


def test_what_takes_long_is_left_off_between_its_pieces(session):
    pieces, begun, go = [], threading.Event(), threading.Event()

    def slow(one):
        for number in range(3):
            pieces.append((one.settings.path.step_degrees, number))
            begun.set()
            assert go.wait(20)
            yield

    page = Page(session, print)
    page.slow.append(slow)
    page.begin()
    assert begun.wait(20)
    page.change(with_path, step_degrees=9.0)
    go.set()
    assert page.wait()
    assert pieces == [(4.0, 0), (9.0, 0), (9.0, 1), (9.0, 2)]
    page.close()


def test_what_is_shown_already_is_not_shown_again(session):
    shown = []
    told = when_new(lambda one: (one.scene, one.settings.path.kind), lambda one: shown.append(one))
    for one in (session, with_path(session, step_degrees=2.0), with_path(session, kind="line", start=6.0)):
        assert list(told(one) or ()) == []
    assert [one.settings.path.kind for one in shown] == ["orbit", "line"]


def test_after_it_is_closed_nothing_is_computed(session):
    hold, shows, done = threading.Event(), threading.Event(), []

    def slow(_):
        shows.set()
        assert hold.wait(20)
        done.append(True)

    page = Page(session, print)
    page.fast.append(slow)
    page.begin()
    assert shows.wait(20)
    threading.Timer(0.2, hold.set).start()
    page.close()
    assert done == [True]
