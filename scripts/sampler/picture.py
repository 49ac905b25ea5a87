"""The picture of a benchmark: quality against time, a panel a setting, and compilation apart from both."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nvs_jax.disk import atomic_path
from nvs_jax.settings import registry
from scripts.sampler.rows import About, Row

_COLUMNS = 3


def draw(path: Path, about: About, rows: Sequence[Row]) -> None:
    """PSNR to the reference against seconds a run, with the spread of the repeats; or ms a step without a reference.

    Args:
        path: of a PNG.
        about: names device and reference.
        rows: those without a time are left out.
    """
    from matplotlib.figure import Figure

    shown = [row for row in rows if row.step_ms is not None]
    settings = list(dict.fromkeys(row.setting for row in shown))
    columns = max(1, min(_COLUMNS, len(settings)))
    upper = max(1, math.ceil(len(settings) / columns))
    names = list(dict.fromkeys(map(_name, shown)))
    tall = 0.8 + 0.14 * len(settings) * max(1, len(names))
    figure = Figure(figsize=(1 + 4 * columns, 3.2 * upper + tall), layout="constrained", dpi=150)
    parts: Any = figure.subfigures(2, 1, height_ratios=(3.2 * upper, tall))
    above, below = parts
    panels = above.subplots(upper, columns, squeeze=False).ravel()
    colours = {name: f"C{index % 10}" for index, name in enumerate(names)}
    for axes, setting in zip(panels, settings, strict=False):
        _panel(axes, [row for row in shown if row.setting == setting], about.reference, colours)
        axes.set_title(setting, fontsize=9)
    for axes in panels[len(settings) :]:
        axes.set_axis_off()
    if settings:
        panels[0].legend(fontsize=7)
    _compilation(below.subplots(), shown, colours)
    figure.suptitle(f"{about.environment.get('card', '')}, {about.weights}", fontsize=9)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _panel(axes: Any, rows: Sequence[Row], reference: str | None, colours: dict[str, str]) -> None:
    for name, colour in colours.items():
        own = sorted((row for row in rows if _name(row) == name), key=lambda row: row.steps)
        own = [row for row in own if row.psnr is not None] if reference else own
        if not own:
            continue
        middle = [(row.step_ms or 0) * row.steps / 1e3 for row in own]
        low = [time - min(row.seconds) for time, row in zip(middle, own, strict=True)]
        high = [max(row.seconds) - time for time, row in zip(middle, own, strict=True)]
        values = [row.psnr if reference else row.step_ms for row in own]
        axes.errorbar(middle, values, xerr=(low, high), marker="o", markersize=3, capsize=2, label=name, color=colour)
        for time, value, row in zip(middle, values, own, strict=True):
            axes.annotate(str(row.steps), (time, value), fontsize=6, xytext=(3, 3), textcoords="offset points")
    axes.set_xlabel("seconds a run, compiled (numbers: steps)", fontsize=8)
    axes.set_ylabel(f"PSNR of the latents, dB, to\n{reference}" if reference else "ms a step", fontsize=8)
    axes.tick_params(labelsize=7)


def _compilation(axes: Any, rows: Sequence[Row], colours: dict[str, str]) -> None:
    longest: dict[tuple[str, str], float] = {}
    for row in rows:
        if row.compile_s is not None:
            key = row.setting, _name(row)
            longest[key] = max(longest.get(key, 0.0), row.compile_s)
    axes.barh(
        [f"{setting}: {name}" for setting, name in longest],
        list(longest.values()),
        color=[colours[name] for _, name in longest],
    )
    axes.invert_yaxis()
    axes.set_xlabel("seconds to trace and compile a run, nothing cached", fontsize=8)
    axes.tick_params(labelsize=6)


def _name(row: Row) -> str:
    known = registry.solvers()
    title = known[row.solver].title if row.solver in known else row.solver
    return title if row.side == "nvs-jax" else f"{title}, {row.side}"
