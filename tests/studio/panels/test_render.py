"""The panel on the render: choices, what is refused, progress, and the result beside the warps."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from nvs_jax.media import write_frames
from nvs_jax.studio.key_changes import add_key
from nvs_jax.studio.panels import render as panel
from nvs_jax.studio.panels.render import Rendering, Result, render_panel
from nvs_jax.studio.pictures import enlarged
from nvs_jax.studio.rendering import Renders
from tests.studio.panes import aside, shown
from tests.studio.sessions import photo_session


@pytest.fixture
def session(tmp_path):
    return photo_session(tmp_path)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(panel, "_SETTLE", 0.05)


class Studio:
    """A panel on renders that make grey frames, when they are let."""

    def __init__(self):
        self.go, self.jobs, self.refused = threading.Event(), [], []
        self.renders, self.result = Renders(self._render), Result()

    def _render(self, job, stop, watch):
        self.jobs.append(job)
        watch.report("sample", 1, 4)
        watch.preview(np.full((4, 8, 3), 7, np.uint8))
        assert self.go.wait(20)
        write_frames(job.out / "frames", np.full((job.settings.path.frames or 5, 24, 32, 3), 0.5, np.float32))

    def panel(self, gui, page):
        render_panel(gui, page, Rendering(self.renders, self.result, self.refused.append))


def until(holds):
    """Text is taken some time after its last letter."""
    for _ in range(400):
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_choices_are_the_jobs(session, tmp_path):
    with shown(session, Studio().panel) as (page, gui, _):
        gui["steps"].value = 7
        gui["seed"].value = 3
        gui["method"].value = "post"
        gui["replace an earlier result"].value = True
        for text in ("o", "ot", "other"):
            gui["folder"].value = str(tmp_path / text)
        assert until(lambda: page.session.job.out == tmp_path / "other")
        job = page.session.job
        assert (job.steps, job.seed, job.method, job.overwrite) == (7, 3, "post", True)
        gui["preset"].value = "reference"
        assert page.session.settings.conditioning.holes == "black"
        gui["preset"].value = gui["method"].value = panel.OWN
        assert (page.session.job.preset, page.session.job.method) == (None, None)


def test_weights_that_are_missing_are_told_when_they_are_used(session):
    studio = Studio()
    with shown(session, studio.panel) as (page, gui, told):
        gui["weights"].value = "nowhere/at all"
        for label in ("use these weights", "Render"):
            told.clear()
            gui[label].press()
            assert "nowhere/at all" in told[-1]
            assert gui["weights"].value == "nowhere/at all"
        assert page.session.job.weights is None
        assert not studio.jobs


def test_what_it_takes_is_told_for_a_device(session):
    session = replace(session, scene=replace(session.scene, shrink=24))
    with shown(session, Studio().panel) as (page, gui, _):
        gui["what it needs of"].value = "gpu:80GB"
        assert page.wait()
        assert "5 frames of 576x768" in gui.text
        assert "GiB of gpu:80GB" in gui.text
        assert "Time on an H100, a prediction" in gui.text


def test_a_render_is_watched_and_its_result_is_shown_beside_the_warps(session):
    studio = Studio()
    with shown(session, studio.panel) as (page, gui, _):
        warp = enlarged(page.session.frame(0).pictures[0])
        np.testing.assert_array_equal(gui["result beside the warp"].image, warp)
        gui["Render"].press()
        assert until(lambda: "sample 25%" in gui.text)
        assert until(lambda: (gui["latents"].image == 7).all())
        gui["Render"].press()
        assert "is being rendered: wait for it, or cancel it" in studio.refused[-1]
        studio.go.set()
        assert studio.renders.wait().state == "done"
        assert page.wait()
        assert "is complete after" in gui.text
        beside = gui["result beside the warp"].image[::5, ::5]
        assert beside.shape == (24, 64, 3)
        assert abs(beside[:, :32].astype(int) - 128).max() <= 1
        np.testing.assert_array_equal(beside[:, 32:], page.session.frame(0).pictures[0])
        page.look_at(3)
        assert page.wait()
        beside = gui["result beside the warp"].image[::5, ::5]
        np.testing.assert_array_equal(beside[:, 32:], page.session.frame(3).pictures[0])


def test_key_frames_are_in_a_file_before_they_are_rendered(session):
    studio = Studio()
    studio.go.set()
    with shown(session, studio.panel) as (page, gui, _):
        page.change(add_key, aside(session, 1.0))
        gui["Render"].press()
        studio.renders.wait()
        assert studio.jobs[0].settings.path.file == page.session.path_file
        assert page.session.path_file.is_file()
