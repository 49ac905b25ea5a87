"""What a benchmark of the sampler says: a row for every run; the table, the numbers and the picture of all."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from nvs_jax.disk import atomic_path


@dataclass(frozen=True)
class About:
    """What all rows have in common: `devices` are there, of which one is used; `repeats` runs are timed of each."""

    device: str
    devices: int
    dtype: str
    weights: str
    repeats: int

    def line(self) -> str:
        return f"{self.device}, {self.dtype}, weights: {self.weights}, median of {self.repeats}"


@dataclass(frozen=True)
class Row:
    """One run. What is not known is None; `note` says why."""

    side: str
    solver: str
    guidance: str
    steps: int
    evaluations: int
    compile_s: float | None = None
    step_ms: float | None = None
    fastest_ms: float | None = None
    slowest_ms: float | None = None
    tflop: float | None = None
    share: float | None = None
    memory_mb: float | None = None
    note: str = ""


def finished(row: Row, seconds: Sequence[float], peak: float | None) -> Row:
    """The row with the median of its times, their spread, and its share of the device's peak."""
    if not seconds:
        return row
    median = float(np.median(seconds))
    share = row.tflop / median / peak if row.tflop and peak else None
    step = [1e3 * taken / row.steps for taken in (median, min(seconds), max(seconds))]
    return replace(row, step_ms=step[0], fastest_ms=step[1], slowest_ms=step[2], share=share)


def markdown(about: About, rows: Sequence[Row]) -> str:
    """The table."""
    head = ("side", "guidance", "solver", "steps", "compile, s", "step, ms", "evaluations", "TFLOP", "of peak", "MiB")
    lines = [f"{about.line()}\n", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for r in rows:
        numbers = (
            ("" if value is None else form.format(value))
            for value, form in (
                (r.compile_s, "{:.1f}"),
                (r.step_ms, "{:.1f}"),
                (r.evaluations, "{}"),
                (r.tflop, "{:.3g}"),
                (r.share, "{:.1%}"),
                (r.memory_mb, "{:.0f}"),
            )
        )
        cells = (r.side, r.guidance, r.solver, str(r.steps), *numbers)
        lines.append("| " + " | ".join(cells) + " |" + (f" {r.note}" if r.note else ""))
    return "\n".join(lines)


def write(out: Path, about: About, rows: Sequence[Row]) -> None:
    """Table, numbers and picture."""
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(out / "bench.md") as path:
        path.write_text(markdown(about, rows) + "\n", encoding="utf-8")
    with atomic_path(out / "bench.json") as path:
        path.write_text(json.dumps(asdict(about) | {"rows": [asdict(row) for row in rows]}, indent=1))
    from matplotlib.figure import Figure

    shown = [row for row in rows if row.step_ms is not None]
    figure = Figure(figsize=(8, 1 + 0.25 * len(shown)), layout="constrained")
    axes = figure.subplots()
    names = [f"{row.side}, {row.guidance}, {row.solver}, {row.steps} steps" for row in shown]
    axes.barh(names, [row.step_ms or 0 for row in shown])
    axes.invert_yaxis()
    axes.set_xlabel("ms a step")
    with atomic_path(out / "bench.png") as path:
        figure.savefig(path, format="png")
