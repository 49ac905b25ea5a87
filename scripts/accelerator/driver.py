"""Runs stages one after the other, each in a process of its own with a box of time. No JAX and no PyTorch here."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.accelerator import nvidia
from scripts.accelerator.child import Task
from scripts.accelerator.record import Record
from scripts.accelerator.rows import Entry, Row
from scripts.accelerator.sizes import SizeName
from scripts.accelerator.stages import VARIANTS, Stage, Variant, processes

ROOT = Path(__file__).parents[2]
PAUSE = 0.05
"""Seconds between two looks at what a child has written."""
WHOLE = "(whole stage)"


@dataclass(frozen=True)
class Plan:
    """What is run.

    Attributes:
        stages: in order.
        size: its name.
        variant: of XLA's flags.
        budget: seconds for all of it; a stage whose box does not fit into what is left is not started.
        folder: for logs, lines, and compiled programs where JAX_COMPILATION_CACHE_DIR names no other.
    """

    stages: Sequence[Stage]
    size: SizeName
    variant: Variant
    budget: float
    folder: Path


def run(plan: Plan, record: Record) -> None:
    """Run what fits. However it ends, no child is left, and the record says so."""
    since = time.monotonic()
    try:
        for group in processes(plan.stages):
            left = plan.budget - (time.monotonic() - since)
            fitting = _fitting(group, left)
            for stage in group[len(fitting) :]:
                note = f"left out: its box of {stage.box:g} s does not fit into the {max(0, left):.0f} s left"
                record.add([_entry(plan, stage, Row(WHOLE, note=note))])
            if fitting:
                _run_child(plan, fitting, record)
    except BaseException:
        record.finish("stopped")
        raise
    record.finish()


def _fitting(group: Sequence[Stage], left: float) -> Sequence[Stage]:
    """As many of a process's stages as there is time for."""
    until = itertools.accumulate(stage.box for stage in group)
    return group[: sum(used <= left for used in until)]


def _run_child(plan: Plan, stages: Sequence[Stage], record: Record) -> None:
    """One process: its stages' rows, and how each of them ended."""
    name = stages[0].name
    lines, log = plan.folder / "lines" / f"{name}.jsonl", plan.folder / "logs" / f"{name}.log"
    for path in (lines, log):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    pairs = [[stage.name, stage.function] for stage in stages]
    task = Task(side=stages[0].side, size=plan.size, stages=pairs, lines=str(lines))
    busy = nvidia.wait_until_free()
    watch = _Watch(plan, stages, record)
    if busy:
        watch.add(Row("the card", note=busy))
    print(f"{name}: at most {sum(stage.box for stage in stages):g} s", file=sys.stderr)
    with log.open("wb") as output, lines.open("rb") as reader, _started(plan, stages[0], task, output) as process:
        while True:
            code = process.poll()  # before what it wrote is read: a process that has ended writes no more
            watch.read(reader.read())
            if code is not None or watch.over():
                break
            time.sleep(PAUSE)
    watch.close(code, log)


@contextlib.contextmanager
def _started(plan: Plan, stage: Stage, task: Task, output: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a group of processes of its own, all of which is gone afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.accelerator.child", json.dumps(asdict(task))],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=_environment(plan, stage),
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it started, too, even where it has ended itself
        process.communicate()


def _environment(plan: Plan, stage: Stage) -> dict[str, str]:
    """This process's own, with the flags of the variant and a place for compiled programs."""
    flags = [os.environ.get("XLA_FLAGS", ""), *VARIANTS[_variant(plan, stage)]]
    flags += stage.flags if nvidia.has_card() else ()
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    programs = {
        "JAX_COMPILATION_CACHE_DIR": str(plan.folder / "programs"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
    }
    fixed = {"XLA_FLAGS": " ".join(filter(None, flags)), "PYTHONPATH": os.pathsep.join(path)}
    return programs | dict(os.environ) | fixed


def _variant(plan: Plan, stage: Stage) -> Variant:
    """The flags of a stage; those that ask for XLA's own, other devices and PyTorch have none of ours."""
    return plan.variant if stage.side == "jax" and not stage.default_flags and nvidia.has_card() else "default"


class _Watch:
    """What a child has said, and which of its stages is at work since when."""

    def __init__(self, plan: Plan, stages: Sequence[Stage], record: Record):
        self.plan, self.record = plan, record
        self.waiting = list(stages)
        self.rest, self.environment = b"", dict[str, str]()
        self.since = time.monotonic()

    @property
    def stage(self) -> Stage:
        return self.waiting[0]

    def over(self) -> bool:
        """Whether it has used up its box."""
        return bool(self.waiting) and time.monotonic() - self.since > self.stage.box

    def read(self, more: bytes) -> None:
        """Take what was written since; the last line may be unfinished."""
        *lines, self.rest = (self.rest + more).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, line: Mapping[str, Any]) -> None:
        if "row" in line:
            self.environment = line["environment"]
            self.add(Row(**line["row"]))
        elif "end" in line:
            self.add(Row(WHOLE, {"s": time.monotonic() - self.since}))
            self.since = time.monotonic()
            self.waiting.pop(0)

    def close(self, code: int | None, log: Path) -> None:
        """The process is gone: say of what was not done why."""
        for place, stage in enumerate(self.waiting):
            if place:
                self.add(Row(WHOLE, note=f"left out: it runs after {self.stage.name}, which did not end"), stage)
            elif code is None:
                seconds = time.monotonic() - self.since
                self.add(Row(WHOLE, {"s": seconds}, f"killed at the end of its box of {stage.box:g} s", True))
            else:
                self.add(Row(WHOLE, note=f"its process ended with {code}: {_last_line(log)}", failed=True))

    def add(self, row: Row, stage: Stage | None = None) -> None:
        """Note a finding of this stage, or of the one at work."""
        self.record.add([_entry(self.plan, stage or self.stage, row, self.environment)])


def _entry(plan: Plan, stage: Stage, row: Row, environment: Mapping[str, str] | None = None) -> Entry:
    return Entry(
        stage=stage.name,
        side=stage.side,
        size=plan.size,
        variant=_variant(plan, stage),
        environment=environment or {},
        clocks=nvidia.clocks(),
        **asdict(row),
    )


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][-200:] if lines else "it said nothing"
