"""Processes that share a render, when one of them ends."""

import signal
import time
from pathlib import Path

import pytest

from tests.meeting import STEPS
from tests.sharded import start_processes

WITHIN = 20.0
"""Seconds; those of `tests.meeting` wait for 3, and a busy machine takes its time."""


def meet(
    folder: Path, case: str, send: tuple[int, signal.Signals] | None, count: int = 2
) -> tuple[list[int], list[str], float]:
    """Processes that have met, one of which gets a signal; their exit codes, output, and how long they lived on."""
    started = start_processes(["tests.meeting", str(folder), case], count, devices=count)
    try:
        while not all(_steps(folder, index) >= STEPS for index in range(count)):
            assert all(process.poll() is None for process in started) or case == "mistake", started[0].communicate()
            if case == "mistake" and started[1].poll() is not None:
                break
            time.sleep(0.02)
        since = time.monotonic()
        if send is not None:
            started[send[0]].send_signal(send[1])
        said = [process.communicate(timeout=120)[0] for process in started]
        return [process.returncode for process in started], said, time.monotonic() - since
    finally:
        for process in started:
            process.kill()


def _steps(folder: Path, index: int) -> int:
    try:
        return int((folder / str(index)).read_text() or -1)
    except FileNotFoundError:
        return -1


@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_whose_other_was_killed_says_so_and_ends_soon(victim, tmp_path):
    codes, said, seconds = meet(tmp_path, "go-on", (victim, signal.SIGKILL))
    assert codes[victim] == -signal.SIGKILL
    assert codes[1 - victim] == 69, said
    own = [line for line in said[1 - victim].splitlines() if line.startswith("process ")]
    assert own == [
        f"process {victim} of 2 is missing: this one cannot go on alone; start all of them again with --resume"
    ]
    assert "Traceback" not in said[1 - victim] and "stack trace" not in said[1 - victim]
    assert seconds < WITHIN


def test_processes_stop_together_though_one_was_told(tmp_path):
    codes, said, seconds = meet(tmp_path, "go-on", (1, signal.SIGTERM))
    assert codes == [75, 75], said
    assert "process 1 of 2 was told to stop: all stop" in said[0]
    assert seconds < WITHIN


@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_does_not_come_to_a_state_in_time_stops_and_the_other_says_which(victim, tmp_path):
    codes, said, seconds = meet(tmp_path, "stuck", (victim, signal.SIGTERM))
    assert (codes[victim], codes[1 - victim]) == (75, 69), said
    assert f"process {victim} of 2 was told to stop and does, in the middle of a segment" in said[victim]
    assert f"process {victim} of 2 was told to stop: this one cannot go on alone" in said[1 - victim]
    assert seconds < WITHIN


def test_a_mistake_of_one_process_ends_the_other(tmp_path):
    codes, said, seconds = meet(tmp_path, "mistake", None)
    assert codes == [69, 2], said
    assert "process 1 of 2 ended with exit code 2: this one cannot go on alone" in said[0]
    assert seconds < WITHIN


@pytest.mark.full
@pytest.mark.parametrize("victim", [0, 1])
def test_of_four_processes_all_name_the_one_that_was_killed_and_not_each_other(victim, tmp_path):
    codes, said, seconds = meet(tmp_path, "go-on", (victim, signal.SIGKILL), count=4)
    assert codes == [-signal.SIGKILL if index == victim else 69 for index in range(4)], said
    for index in set(range(4)) - {victim}:
        assert f"process {victim} of 4 is missing: this one cannot go on alone" in said[index]
    assert seconds < WITHIN
