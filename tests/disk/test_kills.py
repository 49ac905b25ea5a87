"""What is there whenever a process ends while a folder takes its place: see `tests.disk.kills`."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def ends(signals: list[int], scenes: int) -> int:
    """How many processes were ended, with nothing wrong after any of them."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.disk.kills", json.dumps({"signals": signals, "scenes": scenes})],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["ends"] == found["former"] + found["new"] + found["nothing"]
    assert min(found.values()) > 0
    return found["ends"]


def test_whenever_a_process_is_killed_the_former_or_the_new_folder_is_whole_and_nothing_else_is_touched():
    """Results, maps and checkpoints; replaced in one step, replaced in two, and new."""
    assert ends([signal.SIGKILL], scenes=9) > 100


def test_whenever_a_process_is_interrupted_it_says_what_is_there():
    """A result that is replaced in one step, replaced in two, and new."""
    assert ends([signal.SIGINT, signal.SIGTERM], scenes=3) > 50


@pytest.mark.full
def test_the_same_of_maps_and_checkpoints():
    assert ends([signal.SIGINT, signal.SIGTERM], scenes=9) > 200
