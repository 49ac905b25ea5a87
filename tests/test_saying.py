"""The command in a terminal that is gone, on a full disk, in a pipe that nobody reads."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from nvs_jax.media import write_picture
from nvs_jax.saying import Unfailing, at_job, bar, log_as, log_event, say, tell
from tests.tiny import scene

ROOT = Path(__file__).parents[1]
FULL = Path("/dev/full")


@pytest.fixture
def batch(tmp_path):
    """A batch of one preview, and one job that fails."""
    photo, depth = scene()
    write_picture(tmp_path / "photo.png", photo)
    np.save(tmp_path / "depth.npy", depth)
    (tmp_path / "jobs.yaml").write_text(
        "defaults: {depth: depth.npy, depth_kind: depth, preview: true, "
        "settings: {picture: {size: [64, 64], fit: pad}, path: {frames: 2}}}\n"
        "jobs: [{photo: photo.png}, {photo: none.png}]"
    )
    return tmp_path


def run(folder: Path, redirected: str) -> int:
    """Exit code of the batch under a shell's redirections."""
    command = [sys.executable, "-m", "nvs_jax", "batch", str(folder / "jobs.yaml"), "--out", str(folder / "out")]
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$@" {redirected}', "bash", *command],
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        cwd=ROOT,
        check=False,
    ).returncode


@pytest.mark.parametrize(
    "redirected", [">/dev/full 2>/dev/full", "<&- >&- 2>&-", pytest.param("2>&1 | true", marks=pytest.mark.full)]
)
def test_output_that_cannot_be_written_decides_nothing(redirected, batch):
    assert FULL.is_char_device()
    assert run(batch, redirected) == 1
    assert (batch / "out" / "000" / "warps.gif").is_file()
    assert '"001": "' in (batch / "out" / "summary.json").read_text().split("failed")[1]


class Broken(io.StringIO):
    """Fails like the standard stream whose terminal is gone."""

    def write(self, text):
        raise OSError(5, "Input/output error")

    def isatty(self):
        return True


def test_a_bar_that_cannot_be_drawn_counts_on(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Broken())
    with bar(total=3, mininterval=0) as progress:
        for _ in range(3):
            progress.update()
        assert progress.n == 3


def test_a_bar_is_drawn_on_terminals_alone(monkeypatch):
    shown = []
    for terminal in (True, False):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda terminal=terminal: terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        with bar(total=3, mininterval=0) as progress:
            progress.update()
        shown.append(stream.getvalue() != "")
    assert shown == [True, False]


def test_a_log_for_machines_is_an_event_a_line_with_its_time_and_job(capsys):
    log_event("step", step=1)
    with log_as("json"):
        say("before any job")
        with at_job("garden"):
            log_event("step", step=5, steps=25)
            with bar(total=3, mininterval=0) as progress:
                progress.update()
        tell("an answer")
    say("for people again")
    said = capsys.readouterr()
    assert said.out == "an answer\n"
    *lines, last = said.err.splitlines()
    assert last == "for people again"
    first, second = (json.loads(line) for line in lines)
    assert (first["event"], first["text"], first["job"]) == ("said", "before any job", None)
    assert (second["event"], second["job"], second["step"], second["steps"]) == ("step", "garden", 5, 25)
    assert datetime.fromisoformat(first["time"]) <= datetime.fromisoformat(second["time"]) <= datetime.now(UTC)


@pytest.mark.parametrize("stream", [None, Broken()], ids=["none", "broken"])
def test_lines_are_dropped_where_nobody_can_read_them(stream, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", stream)
    say("to people")
    tell("an answer")


def test_what_a_terminal_has_no_letters_for_is_escaped():
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    Unfailing(stream).write("ä\udc80")
    stream.flush()
    assert written.getvalue() == rb"\xe4\udc80"


def test_an_answer_that_is_lost_is_said():
    code = "from nvs_jax.saying import lasting_output, tell\nwith lasting_output():\n  tell('answer')\n  tell('more')"
    with FULL.open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert done.stderr == "standard output cannot be written: No space left on device\n"
