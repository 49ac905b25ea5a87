"""Renders of the studio: one at a time, watched, stopped with their state kept, and the same as the command's."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from nvs_jax.cli import main
from nvs_jax.commands.studio import Loaded
from nvs_jax.errors import InputError
from nvs_jax.media import read_frames
from nvs_jax.runs.stopping import Stopped
from nvs_jax.settings.jobs import SingleJob
from nvs_jax.studio.command_line import arguments
from nvs_jax.studio.rendering import Renders
from tests.studio.sessions import settings
from tests.tiny import FRAMES, write_scene, write_tiny_folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_tiny_folder(tmp_path_factory.mktemp("svd"), frames=FRAMES)


@pytest.fixture
def job(tmp_path, weights):
    write_scene(tmp_path)
    return SingleJob(
        photo=tmp_path / "photo.png",
        depth=tmp_path / "depth.npy",
        depth_kind="depth",
        out=tmp_path / "out",
        weights=str(weights),
        steps=5,
        settings=settings(),
    )


def test_a_render_is_the_commands_and_is_seen_as_it_clears(job, tmp_path):
    seen = []
    renders = Renders(Loaded().render)
    renders.follow(seen.append)
    renders.start(job)
    done = renders.wait()
    assert (done.state, done.result) == ("done", job.out), done.line
    assert "is complete after" in done.line
    assert {each.stage for each in seen} == {"inputs", "warp", "encode", "sample", "decode"}
    previews = [each.preview for each in seen if each.preview is not None]
    assert previews[0].shape == (12, 4 * 16, 3)
    assert len({preview.tobytes() for preview in previews}) == 5
    main(arguments(replace(job, out=tmp_path / "by command")))
    np.testing.assert_array_equal(read_frames(job.out / "frames"), read_frames(tmp_path / "by command" / "frames"))


def test_a_render_that_is_cancelled_leaves_its_state_and_goes_on(job, tmp_path):
    renders = Renders(Loaded().render)
    renders.follow(lambda progress: renders.cancel() if progress.stage == "sample" else None)
    renders.start(job)
    stopped = renders.wait()
    assert stopped.state == "stopped", stopped.line
    assert "after step 1 of leg 1 of 1" in stopped.line
    assert not job.out.exists()
    again = Renders(Loaded().render)
    again.start(job)
    assert again.wait().state == "done"
    once = Renders(Loaded().render)
    once.start(replace(job, out=tmp_path / "once"))
    assert once.wait().state == "done"
    np.testing.assert_array_equal(read_frames(job.out / "frames"), read_frames(tmp_path / "once" / "frames"))


def test_a_second_render_is_refused_while_one_goes_on(job):
    going, go = threading.Event(), threading.Event()

    def render(job, stop, watch):
        going.set()
        assert go.wait(20)

    renders = Renders(render)
    renders.start(job)
    assert going.wait(20)
    with pytest.raises(InputError, match="out is being rendered: wait for it, or cancel it"):
        renders.start(replace(job, seed=3))
    go.set()
    assert renders.wait().state == "done"
    renders.start(replace(job, seed=3))
    assert renders.wait().job == replace(job, seed=3)


@pytest.mark.parametrize(
    ("error", "state", "line"),
    [
        (InputError("no such weights"), "failed", "no such weights"),
        (Stopped("after warp"), "stopped", "stopped after warp; Render goes on from there"),
        (
            RuntimeError("EXHAUSTED:\n out of memory"),
            "failed",
            "RuntimeError: EXHAUSTED: out of memory",
        ),
    ],
)
def test_what_ends_a_render_is_told_in_a_line_and_the_next_one_begins(job, error, state, line, capsys):
    def render(job, stop, watch):
        raise error

    renders = Renders(render)
    renders.start(job)
    assert (renders.wait().state, renders.progress.line) == (state, line)
    renders.start(job)
    assert renders.wait().state == state
    assert ("Traceback" in capsys.readouterr().err) == isinstance(error, RuntimeError)


def test_missing_weights_are_a_line(job):
    renders = Renders(Loaded().render)
    renders.start(replace(job, weights="nowhere/at all"))
    assert renders.wait().state == "failed"
    assert "nowhere/at all" in renders.progress.line
