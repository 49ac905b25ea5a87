"""Training for a span of time, with a clock that only the tests move."""

import itertools
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.runs.stopping import StopRequest
from scripts.train import within
from scripts.train.losses import LossLog
from scripts.train.stage import Run
from scripts.train.within import train_within
from tests.scripts.train.toy_stage import SETTINGS, TRUTH, WEIGHTS, toy_stage

ROOT = Path(__file__).parents[3]


def ticking(start: float = 0.0):
    """A clock that is a second later whenever somebody looks."""
    ticks = itertools.count(start)
    return lambda: next(ticks)


def toy_run(start: float = 0.0, **changes) -> Run:
    return Run(replace(SETTINGS, **{"save_seconds": 30, **changes}), ticking(start), StopRequest())


def log(folder: Path) -> np.ndarray:
    return LossLog(folder / "losses.csv").read()


def steps(folder: Path) -> np.ndarray:
    rows = log(folder)
    return rows[np.isfinite(rows[:, 1]), 0]


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=pytest.mark.full), "bfloat16"])
def test_the_loss_falls_and_weights_stay_float32(tmp_path, dtype):
    kept = []
    weights = train_within(toy_stage(tmp_path, 400.0), WEIGHTS, toy_run(dtype=dtype), kept.append)
    rows = log(tmp_path)
    held_out = rows[np.isfinite(rows[:, 3]), 3]
    assert np.isfinite(rows[:, [0, 2]]).all() and held_out[-1] < 0.02 * np.nanmax(rows[:, 1])
    assert {value.dtype for value in weights.values()} == {jnp.dtype("float32")}
    np.testing.assert_allclose(weights["one.weight"] + weights["two.weight"], TRUTH, atol=0.2)
    for name, value in weights.items():
        np.testing.assert_array_equal(kept[-1][name], value)
    assert len(kept) == len(held_out) - 1 > 3
    assert (tmp_path / "losses.png").stat().st_size > 1000


def test_no_program_is_begun_that_might_end_too_late(tmp_path):
    run = toy_run()
    train_within(toy_stage(tmp_path, 100.0, batch=4), WEIGHTS, run, lambda _: None)
    rows = log(tmp_path)
    last_of_a_step = rows[np.isfinite(rows[:, 1]), 2].max()
    assert 80 < last_of_a_step <= 100
    np.testing.assert_array_equal(steps(tmp_path), np.arange(1, len(steps(tmp_path)) + 1))


def test_a_stage_whose_time_is_over_makes_nothing(tmp_path):
    weights = train_within(toy_stage(tmp_path, 100.0), WEIGHTS, toy_run(start=100), lambda _: None)
    assert not (tmp_path / "losses.csv").exists()
    for name, value in weights.items():
        np.testing.assert_array_equal(value, WEIGHTS[name])


@pytest.mark.full
def test_the_batch_that_pays_is_found_and_kept(tmp_path, monkeypatch, capsys):
    """Programs that take as many seconds as their batch is large beyond 8, and as few below."""
    now = [0.0]
    finish = within._Training.finish

    def slow(self):
        now[0] += max(self.pending[0][0], 8)
        return finish(self)

    monkeypatch.setattr(within._Training, "finish", slow)
    settings = replace(SETTINGS, first_batch=4, largest_batch=64)
    train_within(toy_stage(tmp_path, 300.0), WEIGHTS, Run(settings, lambda: now[0], StopRequest()), lambda _: None)
    assert "in batches of 16" in capsys.readouterr().out
    assert (tmp_path / "batch.json").read_text().startswith('{"batch": 8, ')
    now[0] = 300.0
    run = Run(settings, lambda: now[0], StopRequest())
    train_within(toy_stage(tmp_path, 400.0), WEIGHTS, run, lambda _: None)
    assert "in batches of" not in (said := capsys.readouterr().out) and "steps/s of 8" in said


def test_what_does_not_fit_the_memory_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(within, "_memory", lambda: 1)
    with pytest.raises(InputError, match="batch of 4 does not fit"):
        train_within(toy_stage(tmp_path, 100.0), WEIGHTS, toy_run(), lambda _: None)


def test_a_request_to_stop_keeps_what_was_trained(tmp_path):
    run = toy_run()
    clock = run.clock

    def asking() -> float:
        now = clock()
        run.stop.wanted = run.stop.wanted or now > 50
        return now

    kept = []
    train_within(toy_stage(tmp_path, 1000.0), WEIGHTS, replace(run, clock=asking), kept.append)
    made = steps(tmp_path)[-1]
    assert kept and 0 < made < 200
    run = toy_run(start=60)
    train_within(toy_stage(tmp_path, 120.0), WEIGHTS, run, lambda _: None)
    np.testing.assert_array_equal(steps(tmp_path), np.arange(1, len(steps(tmp_path)) + 1))
    assert steps(tmp_path)[-1] > made


@pytest.mark.full
def test_a_killed_stage_goes_on_from_its_checkpoint(tmp_path):
    command = [sys.executable, "-m", "tests.scripts.train.toy_stage", str(tmp_path)]
    with subprocess.Popen([*command, "1000"], cwd=ROOT, env=os.environ | {"JAX_PLATFORMS": "cpu"}) as process:
        while not list(tmp_path.glob("checkpoints/[0-9]*/_CHECKPOINT_METADATA")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    used = LossLog(tmp_path / "losses.csv").seconds()
    assert 0 < used < 1000
    train_within(toy_stage(tmp_path, used + 100), WEIGHTS, toy_run(start=used), lambda _: None)
    rows = log(tmp_path)
    np.testing.assert_array_equal(steps(tmp_path), np.arange(1, len(steps(tmp_path)) + 1))
    assert (np.diff(rows[:, 2]) >= 0).all() and rows[-1, 3] < 0.5 * rows[0, 3]
