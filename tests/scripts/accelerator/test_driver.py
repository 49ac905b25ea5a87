import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.accelerator.driver import ROOT, WHOLE, Plan, run
from scripts.accelerator.record import RUNNING, Record, begin
from tests.scripts.accelerator.toy_stages import stage

KILLED = """
import signal, sys
from pathlib import Path
from scripts.accelerator.driver import Plan, run
from scripts.accelerator.record import begin
from tests.scripts.accelerator.toy_stages import stage
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
folder = Path(sys.argv[1])
run(Plan([stage("quick"), stage("slow", 600)], "toy", "fast", 1e9, folder), begin(folder))
"""


def ran(folder: Path, *stages, budget: float = 1e9) -> Record:
    record = begin(folder)
    run(Plan(stages, "toy", "fast", budget, folder), record)
    return record


def found(record: Record) -> dict[tuple[str, str], dict[str, float]]:
    return {(entry.stage, entry.what): dict(entry.figures) for entry in record.entries}


def notes(record: Record) -> dict[str, str]:
    return {entry.stage: entry.note for entry in record.entries if entry.what == WHOLE}


def is_gone(process: int) -> bool:
    """Whether a process has ended; one that nobody waits for stays in the list as a zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def eventually(condition, seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_every_finding_is_kept_and_a_figure_that_is_none_is_no_number_in_json(tmp_path):
    record = ran(tmp_path, stage("quick"), stage("other"))
    assert found(record)["quick", "first"] == {"ms": 1.5}
    assert found(record)["other", "third"] == {"ms": 3.0}
    stored = json.loads((tmp_path / "results.json").read_text())
    assert stored["state"] == "finished"
    assert [row["figures"] for row in stored["rows"] if row["what"] == "second"] == [{"ms": None}]
    assert "Not finished" not in (tmp_path / "results.md").read_text()


def test_a_stage_over_its_box_is_killed_with_what_it_started_and_the_others_go_on(tmp_path):
    record = ran(tmp_path, stage("slow", box=5.0), stage("quick"))
    assert notes(record)["slow"] == "killed at the end of its box of 5 s"
    assert [entry.stage for entry in record.entries if entry.failed] == ["slow"]
    assert ("quick", "second") in found(record)
    assert is_gone(int(found(record)["slow", "before"]["grandchild"]))


def test_a_stage_that_fails_or_crashes_leaves_its_findings_and_says_why(tmp_path):
    record = ran(tmp_path, stage("broken", process="one"), stage("quick", process="one"), stage("crashing"))
    assert found(record).keys() >= {
        ("broken", "before it broke"),
        ("quick", "second"),
        ("crashing", "before it crashed"),
    }
    assert [entry.note for entry in record.entries if entry.failed] == [
        "ValueError: of two lines",
        f"its process ended with {-signal.SIGABRT}: the last words",
    ]


@pytest.mark.full
def test_stages_after_one_whose_process_is_killed_are_named(tmp_path):
    record = ran(tmp_path, stage("slow", box=5.0, process="one"), stage("quick", process="one"))
    assert notes(record)["quick"] == "left out: it runs after slow, which did not end"


def test_a_stage_is_started_only_if_its_box_fits_into_the_budget(tmp_path):
    stages = stage("quick", 10.0, "one"), stage("other", 100.0, "one"), stage("other", 30.0)
    record = ran(tmp_path, *stages, budget=60.0)
    assert ("quick", "second") in found(record)
    left_out = [entry.note for entry in record.entries if entry.note.startswith("left out")]
    assert left_out == ["left out: its box of 100 s does not fit into the 60 s left"]
    assert ("other", "third") in found(record)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_killed_in_the_middle_keeps_its_results_and_leaves_no_process(tmp_path, how):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )

    def rows() -> list[dict]:
        path = tmp_path / "results.json"
        return json.loads(path.read_text())["rows"] if path.exists() else []

    assert eventually(lambda: any(row["what"] == "before" for row in rows()))
    process.send_signal(how)
    process.wait()
    stored = json.loads((tmp_path / "results.json").read_text())
    assert stored["state"] == (RUNNING if how == signal.SIGKILL else "stopped")
    assert [row["what"] for row in stored["rows"]] == ["first", "second", WHOLE, "before"]
    assert "Not finished" in (tmp_path / "results.md").read_text()
    assert eventually(lambda: is_gone(int(stored["rows"][-1]["figures"]["grandchild"])))


def test_the_driver_imports_neither_jax_nor_torch():
    code = "import sys, scripts.bench_accelerator; print({'jax', 'torch'} & {*sys.modules})"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.strip() == "set()"
