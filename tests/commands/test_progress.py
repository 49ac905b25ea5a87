"""What is said of a render while it runs."""

import json

import jax.numpy as jnp
import pytest

from nvs_jax.commands.progress import Progress, memory
from nvs_jax.errors import InputError
from nvs_jax.saying import at_job, log_as


def test_every_segment_is_an_event_with_its_steps_and_seconds(capsys):
    with log_as("json"), at_job("garden"), Progress(legs=2, steps=10) as progress:
        for stage, done, total in [
            *[("warp", 1, 1), ("encode", 1, 1), ("sample", 4, 10), ("sample", 10, 10), ("decode", 1, 1)],
            *[("warp", 1, 1), ("encode", 1, 1), ("sample", 6, 10), ("sample", 10, 10), ("decode", 1, 1)],
        ]:
            progress(stage, done, total)
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["event"] for event in events] == 2 * ["warp", "encode", "step", "step", "decode"]
    assert [(event["step"], event["steps"]) for event in events if event["event"] == "step"] == [
        *[(4, 10), (10, 10)],
        *[(6, 10), (10, 10)],
    ]
    assert all(event["job"] == "garden" and event["memory"]["host_most"] > 2**20 for event in events)
    assert all(0 <= event["seconds_a_step"] < 10 for event in events if event["event"] == "step")
    assert set(progress.seconds) == {"warp", "encode", "sample", "decode"}


def test_the_memory_of_the_process_is_in_bytes():
    assert 2**24 < memory()["host_most"] < 2**44


def test_a_trace_is_of_the_second_segment(tmp_path, capsys):
    with Progress(1, 15, tmp_path / "trace") as progress:
        for done in (5, 10, 15):
            jnp.ones(done).sum().block_until_ready()
            progress("sample", done, 15)
    assert list((tmp_path / "trace").rglob("*.xplane.pb"))
    assert f"a trace of steps 6 to 10 is in {tmp_path / 'trace'}" in capsys.readouterr().err


def test_a_trace_that_there_is_nothing_for_is_said(tmp_path, capsys):
    with Progress(1, 1, tmp_path / "trace") as progress:
        progress("sample", 1, 1)
    assert f"nothing is traced in {tmp_path / 'trace'}" in capsys.readouterr().err


def test_a_folder_for_traces_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"--profile .* cannot be made"):
        Progress(1, 15, tmp_path / "file" / "trace")
