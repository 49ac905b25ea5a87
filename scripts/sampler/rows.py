"""What the benchmark of the sampler says: a row for every run; the table, and the numbers of all."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.disk import atomic_path


@dataclass(frozen=True)
class About:
    """What all rows have in common.

    Attributes:
        command: every option.
        environment: device, versions and flags.
        devices: how many are there.
        weights: their name, and a digest of all of their values.
        reference: the run that PSNR is to; None: there is none.
        repeats: timed runs of each.
    """

    command: dict[str, Any]
    environment: dict[str, str]
    devices: int
    weights: str
    reference: str | None
    repeats: int

    def line(self) -> str:
        said = f"{', '.join(f'{name} {value}' for name, value in self.environment.items())}; weights: {self.weights}"
        reference = f"; PSNR of the latents to {self.reference}" if self.reference else ""
        return f"{said}; median of {self.repeats}, fastest to slowest{reference}"


@dataclass(frozen=True)
class Row:
    """One run. What is not known is None; `note` says why.

    Attributes:
        setting: all but solver and steps, in words.
        dtype: of the network.
        evaluations: passes of one branch through the network.
        seconds: of every timed run.
        tflop: of a run; `share` is that of the peak of all devices used.
        psnr: to the reference, in dB.
    """

    side: str
    setting: str
    guidance: str
    frames: int
    height: int
    width: int
    dtype: str
    mesh: tuple[int, int, int] | None
    solver: str
    steps: int
    evaluations: int = 0
    compile_s: float | None = None
    seconds: tuple[float, ...] = ()
    step_ms: float | None = None
    fastest_ms: float | None = None
    slowest_ms: float | None = None
    tflop: float | None = None
    share: float | None = None
    memory_mb: float | None = None
    psnr: float | None = None
    note: str = ""


def finished(row: Row, seconds: Sequence[float], peak: float | None) -> Row:
    """The row with its times, their median and spread, and its share of the peak of a device, in TFLOP/s."""
    if not seconds:
        return row
    median = float(np.median(seconds))
    devices = 1 if row.mesh is None else int(np.prod(row.mesh))
    share = row.tflop / median / peak / devices if row.tflop and peak else None
    step = [1e3 * taken / row.steps for taken in (median, min(seconds), max(seconds))]
    return replace(row, seconds=tuple(seconds), step_ms=step[0], fastest_ms=step[1], slowest_ms=step[2], share=share)


_HEAD = ("side", "setting", "solver", "steps", "compile, s", "step, ms", "spread", "evaluations", "TFLOP", "of peak",
         "MiB", "PSNR")  # fmt: skip


def markdown(about: About, rows: Sequence[Row]) -> str:
    """The table."""
    lines = [f"{about.line()}\n", "| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
    for r in rows:
        spread = None if r.fastest_ms is None else f"{r.fastest_ms:.1f} to {r.slowest_ms:.1f}"
        numbers = (
            "" if value is None else form.format(value)
            for value, form in (
                (r.compile_s, "{:.1f}"),
                (r.step_ms, "{:.1f}"),
                (spread, "{}"),
                (r.evaluations, "{}"),
                (r.tflop, "{:.3g}"),
                (r.share, "{:.1%}"),
                (r.memory_mb, "{:.0f}"),
                (r.psnr, "{:.1f}"),
            )
        )
        cells = (r.side, r.setting, r.solver, str(r.steps), *numbers)
        lines.append("| " + " | ".join(cells) + " |" + (f" {r.note}" if r.note else ""))
    return "\n".join(lines)


def write(out: Path, about: About, rows: Sequence[Row]) -> None:
    """Table and numbers."""
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(out / "bench.md") as path:
        path.write_text(markdown(about, rows) + "\n", encoding="utf-8")
    with atomic_path(out / "bench.json") as path:
        path.write_text(json.dumps(asdict(about) | {"rows": [asdict(row) for row in rows]}, indent=1, default=str))
