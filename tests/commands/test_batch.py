"""Batches as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import nvs_jax.diffusion.problem
import nvs_jax.pipeline
from nvs_jax.cli import main
from nvs_jax.disk import RESULT, work_on
from nvs_jax.media import write_picture
from nvs_jax.runs.shares import Share
from tests.commands.test_render import contents, fails
from tests.tiny import FRAMES, scene, write_tiny_folder

ROOT = Path(__file__).parents[2]
SETTINGS = {"camera": {"focal": 0.6}, "path": {"radius": [6.0, 6.0], "step_degrees": 4.0, "frames": FRAMES}}
PREVIEW: dict[str, Any] = {"preview": True, "settings": {**SETTINGS, "picture": {"size": [64, 64], "fit": "pad"}}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_tiny_folder(tmp_path_factory.mktemp("svd"))


def write_batch(folder: Path, weights: Path, count: int, bad: tuple[int, ...], **options: object) -> list[str]:
    """The command for a batch of so many scenes; the depth of bad ones is that of another picture."""
    for index in range(count):
        photo, depth = scene(index)
        write_picture(folder / f"{index}.png", photo)
        np.save(folder / f"{index}.npy", depth[: 3 if index in bad else None])
    defaults = {"weights": str(weights), "depth_kind": "depth", "steps": 2, "settings": SETTINGS, **options}
    jobs = [{"name": f"scene{index}", "photo": f"{index}.png", "depth": f"{index}.npy"} for index in range(count)]
    (folder / "jobs.yaml").write_text(yaml.safe_dump({"defaults": defaults, "jobs": jobs}))
    return ["batch", str(folder / "jobs.yaml"), "--out", str(folder / "out")]


def summary(folder: Path) -> tuple[set[str], set[str], set[str]]:
    """Names of the jobs that were rendered, were there already, failed."""
    told = json.loads((folder / "out" / "summary.json").read_text())
    return set(told["rendered"]), set(told["there_already"]), set(told["failed"])


def done(out: Path) -> dict[str, int]:
    """When each result was completed."""
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("scene*/run.json")}


def scenes(*numbers: int) -> set[str]:
    return {f"scene{number}" for number in numbers}


@pytest.mark.full
def test_a_bad_scene_fails_by_name_and_nothing_is_done_twice(tmp_path, weights, monkeypatch, capsys):
    command = write_batch(tmp_path, weights, count=4, bad=(1,))
    sample, segments, loads = nvs_jax.diffusion.problem.run_steps, [], []

    def run_steps(*arguments):
        segments.append(1)
        if len(segments) == 3:  # in the second good scene
            os.kill(os.getpid(), signal.SIGTERM)
        return sample(*arguments)

    load = nvs_jax.commands.render.load
    monkeypatch.setattr(nvs_jax.diffusion.problem, "run_steps", run_steps)
    monkeypatch.setattr(
        nvs_jax.commands.render, "load", lambda *given, **named: loads.append(1) or load(*given, **named)
    )
    assert fails(command, 75, capsys) == (
        "nvs-jax: stopped in scene2, after step 1 of leg 1 of 1, which is kept; the same command goes on"
    )
    before = done(tmp_path / "out")
    assert set(before) == scenes(0)
    assert len(loads) == 1
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "2 rendered, 1 there already, 1 failed: scene1"
    assert "scene1 failed: " in said.err
    assert summary(tmp_path) == (scenes(2, 3), scenes(0), scenes(1))
    assert len(segments) == 6
    after = done(tmp_path / "out")
    assert set(after) == scenes(0, 2, 3)
    assert after["scene0"] == before["scene0"]
    np.save(tmp_path / "1.npy", scene(1)[1])
    main(command)
    assert summary(tmp_path) == (scenes(1), scenes(0, 2, 3), set())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*scenes(0, 1, 2, 3), "summary.json"])


def test_a_result_of_other_settings_is_not_taken_for_done(tmp_path, weights, capsys):
    main(write_batch(tmp_path, weights, count=1, bad=(), **PREVIEW))
    write_batch(tmp_path, weights, count=1, bad=(), **PREVIEW, seed=3)
    with pytest.raises(SystemExit) as stop:
        main(["batch", str(tmp_path / "jobs.yaml"), "--out", str(tmp_path / "out")])
    assert stop.value.code == 1
    assert "not empty" in capsys.readouterr().err


def test_shares_of_a_batch(tmp_path, weights):
    command = write_batch(tmp_path, weights, count=3, bad=(), **PREVIEW)
    main([*command, "--shard", "1", "2"])
    assert set(done(tmp_path / "out")) == scenes(1)
    assert (tmp_path / "out" / "summary-1-of-2.json").is_file()


def test_a_log_for_machines_says_what_became_of_every_job(tmp_path, weights, capsys):
    command = write_batch(tmp_path, weights, count=2, bad=(1,), **PREVIEW)
    with pytest.raises(SystemExit):
        main([*command, "--log", "json"])
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    ends = [(event["job"], event["event"]) for event in events if event["event"] != "said"]
    assert ends == [("scene0", "complete"), ("scene1", "failed"), (None, "summary")]
    assert events[-1]["failed"].keys() == {"scene1"}


@given(count=st.integers(1, 50), jobs=st.integers(0, 200))
def test_every_job_is_in_one_share(count, jobs):
    for job in range(jobs):
        assert sum(Share(index, count).includes(job) for index in range(count)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--shard", "2", "2"), "--shard must be"),
        (("--shard", "0", "2", "--distributed"), "not both"),
        (("--distributed",), "no cluster is found: set JAX_NUM_PROCESSES and JAX_PROCESS_ID, or use --shard"),
    ],
)
def test_mistakes_with_shares(options, message, tmp_path, weights, capsys):
    command = write_batch(tmp_path, weights, count=1, bad=(), **PREVIEW)
    assert message in fails([*command, *options], 2, capsys)


def start(arguments: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nvs_jax", *arguments],
        env=os.environ | {"JAX_PLATFORMS": "cpu"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )


def start_two(command: list[str]) -> list[subprocess.Popen[str]]:
    """Two processes that share a batch."""
    return [start([*command, "--distributed"], JAX_NUM_PROCESSES="2", JAX_PROCESS_ID=str(index)) for index in range(2)]


def ended(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Exit codes and output."""
    said = [process.communicate(timeout=600)[0] for process in processes]
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


@pytest.mark.full
def test_processes_that_share_a_batch_need_not_each_other(tmp_path, weights):
    command = write_batch(tmp_path, weights, count=9, bad=(), **PREVIEW)
    processes = start_two(command)
    while "scene1" not in done(tmp_path / "out"):
        assert processes[1].poll() is None
        time.sleep(0.02)
    processes[1].terminate()
    told = ended(processes)
    assert [code for code, _ in told] == [0, 75], told
    assert all(f"{count} of 9 jobs are this process's" in text for count, (_, text) in zip((5, 4), told, strict=True))
    assert scenes(0, 1, 2, 4, 6, 8) <= set(done(tmp_path / "out"))
    assert not (tmp_path / "out" / "summary.json").exists()
    # The one that comes last writes what all did, and finds its jobs alone.
    main([*command, "--shard", "1", "2"])
    rendered, there_already, failed = summary(tmp_path)
    assert not failed
    assert "scene1" in there_already
    assert rendered | there_already == scenes(*range(9))


def test_a_job_in_other_hands_is_no_failure(tmp_path, weights, capsys):
    command = write_batch(tmp_path, weights, count=2, bad=(), **PREVIEW)
    (tmp_path / "out").mkdir()
    with work_on(tmp_path / "out" / "scene0", RESULT), pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 75
    assert f"scene0 is left out: process {os.getpid()} is working on" in capsys.readouterr().err
    assert summary(tmp_path) == (scenes(1), set(), set())
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["busy"] == ["scene0"]


@pytest.mark.full
def test_two_processes_render_and_save_states(tmp_path, weights):
    command = write_batch(tmp_path, weights, count=5, bad=(3,))
    told = ended(start_two(command))
    assert sorted(code for code, _ in told) == [0, 1], told
    assert summary(tmp_path) == (scenes(0, 1, 2, 4), set(), scenes(3))
    out = (tmp_path / "out").rename(tmp_path / "shared")
    with pytest.raises(SystemExit):
        main(command)
    for name in scenes(0, 1, 2, 4):
        assert contents(tmp_path / "out" / name) == contents(out / name)


@pytest.mark.full
def test_twenty_scenes_with_three_bad_ones_killed_on_the_way(tmp_path, weights):
    bad = (4, 11, 19)
    command = write_batch(tmp_path, weights, count=20, bad=bad)
    kills, before = 0, {}
    for wanted in (2, 7, 12):
        process = start(command)
        while process.poll() is None and len(done(tmp_path / "out")) < wanted:
            time.sleep(0.02)
        time.sleep(0.3)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        now = done(tmp_path / "out")
        assert before.items() <= now.items()
        before = now
    assert kills == 3
    process = start(command)
    said, _ = process.communicate()
    assert process.returncode == 1
    good = set(range(20)) - set(bad)
    after = done(tmp_path / "out")
    assert set(after) == scenes(*good)
    assert before.items() <= after.items()
    rendered, there_already, failed = summary(tmp_path)
    assert failed == scenes(*bad)
    assert there_already == set(before)
    assert rendered == set(after) - set(before)
    assert "3 failed: scene4, scene11, scene19" in said.splitlines()[-1]
