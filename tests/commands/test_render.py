"""The command interrupted, and started again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

import nvs_jax.commands.loaded
import nvs_jax.commands.render
import nvs_jax.diffusion.problem
import nvs_jax.pipeline
from nvs_jax.cli import main
from nvs_jax.errors import InputError
from nvs_jax.settings.jobs import MeshOptions, SingleJob
from tests.tiny import FRAMES, write_scene, write_tiny_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_tiny_folder(tmp_path_factory.mktemp("svd"), frames=FRAMES)


@pytest.fixture
def inputs(tmp_path):
    return write_scene(tmp_path)


def single(folder: Path, weights: Path, *more: str, out: str = "out") -> list[str]:
    return [
        *("single", str(folder / "photo.png"), "--depth", str(folder / "depth.npy"), "--depth-kind", "depth"),
        *("--weights", str(weights), "--out", str(folder / out), "--path.radius", "6", "6", "--path.step-degrees", "4"),
        *("--camera.focal", "0.6", "--steps", "5", *more),
    ]


@pytest.fixture
def sigterm_at(monkeypatch):
    """Sends SIGTERM to this process during the n-th segment, once."""

    def install(segment: int) -> list[int]:
        sample, segments = nvs_jax.diffusion.problem.run_steps, []

        def run_steps(*arguments):
            segments.append(1)
            if len(segments) == segment:
                os.kill(os.getpid(), signal.SIGTERM)
            return sample(*arguments)

        monkeypatch.setattr(nvs_jax.diffusion.problem, "run_steps", run_steps)
        return segments

    return install


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a result; run.json, which says how long it took, is left out."""
    files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in sorted(files.items()) if name != "run.json"}


def fails(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """The last line that a command which exits with `code` says."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == code
    return capsys.readouterr().err.splitlines()[-1]


def test_sigterm_saves_and_the_run_goes_on(inputs, weights, sigterm_at, capsys):
    main(single(inputs, weights, out="whole"))
    segments = sigterm_at(2)
    said = fails(single(inputs, weights), 75, capsys)
    assert said == "nvs-jax: stopped after step 2 of leg 1 of 1, which is kept; the same command with --resume goes on"
    assert not (inputs / "out").exists()
    assert "--resume goes on" in fails(single(inputs, weights), 2, capsys)
    assert "had seed 0, not 5" in fails(single(inputs, weights, "--resume", "--seed", "5"), 2, capsys)
    assert "schedule.steps 5, not 6" in fails(single(inputs, weights, "--resume", "--steps", "6"), 2, capsys)
    depth = np.load(inputs / "depth.npy")
    np.save(inputs / "depth.npy", depth + 1)
    assert "had another depth" in fails(single(inputs, weights, "--resume"), 2, capsys)
    np.save(inputs / "depth.npy", depth)
    main(single(inputs, weights, "--resume"))
    assert len(segments) == 5
    assert contents(inputs / "out") == contents(inputs / "whole")
    assert not (inputs / ".out.run").exists()
    main(single(inputs, weights, "--resume"))
    assert "complete already" in capsys.readouterr().out
    assert len(segments) == 5
    assert "not empty" in fails(single(inputs, weights, "--resume", "--seed", "5"), 2, capsys)


@pytest.mark.full
def test_a_full_turn_goes_on_in_the_leg_where_it_was(inputs, weights, sigterm_at, capsys):
    turn = ("--path.kind", "full-turn", "--steps", "2")
    main(single(inputs, weights, *turn, out="whole"))
    segments = sigterm_at(5)
    assert "after step 1 of leg 3 of" in fails(single(inputs, weights, *turn), 75, capsys)
    main(single(inputs, weights, *turn, "--resume"))
    assert contents(inputs / "out") == contents(inputs / "whole")
    legs = json.loads((inputs / "out" / "run.json").read_text())["seconds"]
    assert set(legs) == {"warp", "encode", "sample", "decode"}
    again = list(segments)
    main(single(inputs, weights, *turn, out="whole2"))
    assert len(again) == len(segments) - len(again)


def test_a_full_disk_at_the_end_costs_no_step(inputs, weights, sigterm_at, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device", "video.mp4")

    segments = sigterm_at(0)
    with monkeypatch.context() as patched:
        patched.setattr(nvs_jax.commands.render, "write_result", full)
        with pytest.raises(SystemExit) as stop:
            main(single(inputs, weights))
    assert stop.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "nvs-jax: error: video.mp4: No space left on device"
    assert "5 steps of leg 1 are kept: --resume goes on" in said[-2]
    main(single(inputs, weights, "--resume"))
    assert len(segments) == 5


def kill_and_resume(inputs: Path, weights: Path, kills: int, seed: int) -> None:
    """Start the command, kill it at a random moment, and go on, until it has been killed so often."""
    main(single(inputs, weights, out="out0"))
    spec = {"arguments": single(inputs, weights, "--resume"), "kills": kills, "seed": seed}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.killing", json.dumps(spec)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
    )
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["kills"] == kills
    # A run that is killed never has fewer steps saved than the one before it, and what completes is one and the same.
    assert all(run == sorted(run) for run in told["saved"])
    whole = contents(inputs / "out0")
    assert whole
    for index in range(1, told["results"]):
        assert contents(inputs / f"out{index}") == whole
    assert told["results"] >= 2
    assert not list(inputs.glob(".*"))


@pytest.mark.full
def test_killed_twice(inputs, weights):
    kill_and_resume(inputs, weights, kills=2, seed=random.Random(0).randrange(100))


@pytest.mark.full
def test_killed_twenty_times(inputs, weights):
    kill_and_resume(inputs, weights, kills=20, seed=time.time_ns() % 1000)


@pytest.mark.parametrize(("mesh", "taken"), [({}, 1), ({"branches": 2, "frames": 3}, 6), ({"frames": 8}, 8)])
def test_devices_that_are_left_idle_are_said(mesh, taken, monkeypatch, capsys):
    monkeypatch.setattr(jax, "local_device_count", lambda: 8)
    monkeypatch.setattr(nvs_jax.commands.loaded, "make_mesh", lambda *_: None)
    monkeypatch.setattr(nvs_jax.commands.loaded, "load", lambda *_, **__: None)
    nvs_jax.commands.loaded.load_for(
        SingleJob(photo=Path("a.png"), out=Path("out"), weights="b", mesh=MeshOptions(**mesh))
    )
    said = capsys.readouterr().err
    assert ("others are idle" in said) == (taken < 8)
    assert f"takes {taken} of 8 devices" in said or taken == 8
    assert "--mesh.branches 2 --mesh.frames 4 takes all" in said or taken == 8


def test_divided_weights_need_several_devices():
    job = SingleJob(photo=Path("a.png"), out=Path("out"), weights="b", mesh=MeshOptions(weights=True))
    with pytest.raises(InputError, match=r"--mesh\.weights divides them among several devices: give --mesh\.branches"):
        nvs_jax.commands.loaded.load_for(job)


def test_devices_that_there_are_not_are_refused_before_inputs_are_read(inputs, weights, capsys):
    (inputs / "photo.png").unlink()
    with pytest.raises(SystemExit) as ended:
        main(single(inputs, weights, "--mesh.frames", "99"))
    assert ended.value.code == 2
    assert "99 devices" in capsys.readouterr().err


def test_numbers_that_a_solver_has_not_are_refused_before_anything_is_read(inputs, capsys):
    """Where the weights are not even there."""
    missing = inputs / "no-weights"
    with pytest.raises(SystemExit) as ended:
        main(single(inputs, missing, "--solver.kind", "res2s", "--solver.numbers", "c3", "0.5"))
    assert ended.value.code == 2
    assert "solver.numbers: this solver has no number 'c3', but c2" in capsys.readouterr().err
