"""`nvs-jax studio` up to the page: what it is opened on, where it listens, and what is refused in a line."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nvs_jax.cli import main, parse
from nvs_jax.commands import studio
from nvs_jax.commands.studio import check_address, open_session, run_studio
from nvs_jax.errors import InputError
from nvs_jax.media import write_frames
from nvs_jax.runs.stopping import StopRequest
from nvs_jax.settings.jobs import SingleJob, StudioJob, VideoJob, ViewsJob
from nvs_jax.studio.opening import job_of
from tests.tiny import scene, write_scene


def test_the_command_line_asks_for_it():
    assert parse(["studio"]) == StudioJob()
    assert parse(["studio", "a.png", "--port", "9000"]) == StudioJob(Path("a.png"), port=9000)
    with pytest.raises(InputError, match="--port must lie between 1 and 65535"):
        parse(["studio", "--port", "70000"])


def test_a_photo_a_video_and_a_scene_are_told_apart(tmp_path):
    write_scene(tmp_path)
    frames = tmp_path / "frames"
    write_frames(frames, np.stack([scene()[0]] * 3))
    (tmp_path / "clip.mp4").write_bytes(b"")
    (tmp_path / "cameras").mkdir()
    pose = np.eye(4).tolist()
    shot = {"file_path": "photo.png", "transform_matrix": pose, "fl_x": 20.0, "w": 32, "h": 24}
    (tmp_path / "cameras" / "transforms.json").write_text(json.dumps({"frames": [shot]}))
    write_scene(tmp_path / "cameras")
    named = {"photo.png": SingleJob, "frames": VideoJob, "clip.mp4": VideoJob, "cameras": ViewsJob}
    for name, kind in named.items():
        assert type(job_of(StudioJob(tmp_path / name))) is kind
    with pytest.raises(InputError, match="does not exist: give a photo"):
        job_of(StudioJob(tmp_path / "nothing.png"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no cameras found"):
        job_of(StudioJob(tmp_path / "empty"))


def test_what_is_given_is_the_jobs(tmp_path):
    write_scene(tmp_path)
    asked = StudioJob(tmp_path / "photo.png", tmp_path / "depth.npy", "depth", preset="paper", out=tmp_path / "out")
    job = job_of(asked)
    assert isinstance(job, SingleJob)
    assert (job.depth, job.depth_kind, job.preset, job.out) == (asked.depth, "depth", "paper", asked.out)
    made = open_session(StudioJob(out=tmp_path / "made"))
    assert made.scene.view.depth.shape == made.strip.pictures.shape[1:3] == (96, 128)
    assert made.scene.shrink == 1


def test_a_result_is_taken_up_as_it_was_made(tmp_path):
    write_scene(tmp_path)
    line = ["warp", str(tmp_path / "photo.png"), "--depth", str(tmp_path / "depth.npy"), "--depth-kind", "depth"]
    line += ["--path.frames", "3", "--path.kind", "line", "--path.start", "6", "--picture.size", "64", "64"]
    line += ["--warp.max-tilt", "None", "--path.end", "5", "0.5", "1", "--out", str(tmp_path / "result")]
    main(line)
    job, made = job_of(StudioJob(tmp_path / "result", out=tmp_path / "next")), parse(line)
    assert isinstance(job, SingleJob)
    assert isinstance(made, SingleJob)
    assert job.settings == made.settings
    assert (job.out, job.preview, job.photo) == (tmp_path / "next", False, made.photo)
    (tmp_path / "photo.png").unlink()
    with pytest.raises(InputError, match=r"was made of .*photo.png, which is not there"):
        job_of(StudioJob(tmp_path / "result"))


def test_without_anything_a_procedural_scene_is_written_beside_the_result(tmp_path):
    job = job_of(StudioJob(out=tmp_path / "made"))
    assert isinstance(job, SingleJob)
    assert job.photo == tmp_path / "made.scene" / "photo.png"
    assert job.photo.is_file()
    assert (job.weights, job.out) == ("demo", tmp_path / "made")


def test_a_photo_that_is_none_and_weights_that_are_missing_are_lines(tmp_path):
    (tmp_path / "photo.png").write_text("no picture")
    (tmp_path / "good").mkdir()
    write_scene(tmp_path / "good")
    named = {"depth": tmp_path / "good" / "depth.npy", "depth_kind": "depth", "out": tmp_path / "out"}
    with pytest.raises(InputError, match=r"photo\.png"):
        open_session(StudioJob(tmp_path / "photo.png", **named))
    with pytest.raises(InputError, match="nowhere/at all"):
        open_session(StudioJob(tmp_path / "good" / "photo.png", weights="nowhere/at all", **named))
    assert not (tmp_path / "out").exists()


def test_a_taken_port_is_a_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match=r"cannot listen at 127.0.0.1:\d+ .*choose another --port"):
            check_address("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(InputError, match=r"cannot listen at nowhere\.invalid:8080"):
        check_address("nowhere.invalid", 8080)


def test_another_address_than_the_loopback_is_told_what_it_means(capsys):
    check_address("0.0.0.0", 0)
    assert "there is no password" in capsys.readouterr().err
    check_address("127.0.0.1", 0)
    assert capsys.readouterr().err == ""


def test_without_viser_one_line_names_the_extra(monkeypatch):
    monkeypatch.setattr(studio.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'nvs-jax\[studio\]'"):
        run_studio(StudioJob())


def test_the_page_ends_when_somebody_asks():
    stop = StopRequest()
    stop.wanted = True
    studio.wait_for(stop)


def test_help_does_not_wait_for_viser_or_jax():
    code = "import sys, nvs_jax.cli\nprint([name for name in ('viser', 'jax', 'scipy') if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
