"""Results as tables in Markdown and as curves: means over scenes with 95 % confidence intervals."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.disk import atomic_path
from nvs_jax.evaluation.intervals import Interval, interval, paired_interval
from nvs_jax.evaluation.measure import Bench, Line
from nvs_jax.evaluation.variants import MAIN, Fit, Table, Variant, resolve

MEASURES = {"psnr": "PSNR", "hole_psnr": "PSNR in holes", "ssim": "SSIM", "hole_ssim": "SSIM in holes"}
CAMERAS = {"ate": "ATE, scene units", "rpe_t": "RPE-T, scene units", "rpe_r": "RPE-R, degrees"}


def scene_means(lines: Sequence[Line], measure: str) -> list[float]:
    """One number a scene: the mean over the frames that have one, NaN where none has."""
    values = [[value for value in line["scores"][measure] if value is not None] for line in lines]
    return [float(np.mean(one)) if one else float("nan") for one in values]


def by_frame(lines: Sequence[Line], measure: str) -> list[Interval]:
    """One interval over the scenes for every frame."""
    table = np.array([line["scores"][measure] for line in lines], np.float64)  # None becomes NaN
    return [interval(column) for column in table.T.tolist()]


def report(
    bench: Bench,
    seeds_of: Mapping[str, Sequence[int]],
    tables: dict[str, Table],
    fit: Fit,
    *,
    with_fit: bool,
    camera_seeds: Sequence[int] = (),
) -> str:
    """Everything that was measured, in Markdown.

    Args:
        bench: its records hold all variants of the tables.
        seeds_of: the scenes of each table, by its title.
        tables: what to show; the first table's scenes are those of the curves.
        fit: numbers of fitted rules.
        with_fit: say what they are.
        camera_seeds: the scenes whose cameras were measured, for the first table; none of them: no such table.
    """
    settings = bench.experiment.settings
    seeds = seeds_of[MAIN]
    shares = [np.mean(line["scores"]["hole_share"]) for line in bench.lines(seeds, Variant("baseline"))]
    lines = [
        f"{len(seeds)} scenes (seeds {seeds[0]} to {seeds[-1]}){settings.looks}, {settings.frames} frames of "
        f"{settings.size[0]}x{settings.size[1]}, {settings.angles[0]:g} to {settings.angles[-1]:g} degrees; holes are "
        f"{100 * float(np.mean(shares)):.1f} % of the pixels. Weights {bench.experiment.weights}. Means over scenes "
        "with 95 % confidence intervals; differences are to the filled warp under the same conditions, scene by scene."
    ]
    if with_fit:
        lines += ["", *_fit_lines(fit)]
    for title, table in tables.items():
        lines += ["", f"### {title}", ""]
        lines += _on_the_first(seeds_of[title], seeds)
        lines += _score_table(bench, seeds_of[title], table, fit)
    lines += ["", "### PSNR by angle", "", *_angle_table(bench, seeds, tables[MAIN], fit, "psnr")]
    lines += ["", "### PSNR in holes by angle", "", *_angle_table(bench, seeds, tables[MAIN], fit, "hole_psnr")]
    if camera_seeds:
        lines += ["", "### Cameras", "", *_on_the_first(camera_seeds, seeds)]
        lines += _camera_table(bench, camera_seeds, tables[MAIN], fit)
    return "\n".join(lines) + "\n"


def draw_curves(path: Path, bench: Bench, seeds: Sequence[int], table: Table, fit: Fit) -> None:
    """PSNR and SSIM by angle, over all pixels and over holes; bands are confidence intervals."""
    angles = bench.experiment.settings.angles

    def draw(axes: Any, measure: str) -> None:
        for title, variant in table.items():
            curve = by_frame(bench.lines(seeds, resolve(variant, fit)), measure)
            mean = np.array([point.mean for point in curve])
            half = np.nan_to_num([point.half for point in curve])
            axes.plot(angles, mean, label=title)
            axes.fill_between(angles, mean - half, mean + half, alpha=0.12)
        axes.set_xlabel("degrees from the given view")

    draw_measures(path, draw)


def draw_steps(path: Path, bench: Bench, seeds: Sequence[int], table: Table, fit: Fit) -> None:
    """Quality by the number of steps; rows are titled "..., N steps"."""
    curves: dict[str, list[Variant]] = {}
    for title, variant in table.items():
        curves.setdefault(title.rsplit(", ", 1)[0], []).append(resolve(variant, fit))

    def draw(axes: Any, measure: str) -> None:
        for title, variants in curves.items():
            points = [interval(scene_means(bench.lines(seeds, variant), measure)) for variant in variants]
            steps, half = [variant.steps for variant in variants], np.nan_to_num([point.half for point in points])
            axes.errorbar(steps, [point.mean for point in points], half, marker="o", capsize=3, label=title)
        axes.set_xlabel("Euler steps")
        axes.set_xscale("log")
        axes.set_xticks([25, 50, 100], ["25", "50", "100"])
        axes.minorticks_off()

    draw_measures(path, draw)


def draw_measures(path: Path, draw: Callable[[Any, str], None]) -> None:
    """One picture with an axis for every measure.

    Args:
        path: of the picture.
        draw: given an axis and a measure, draws it, with labels for the legend.
    """
    from matplotlib.figure import Figure  # without pyplot: no window system, no global state

    figure = Figure(figsize=(11, 7), layout="constrained", dpi=90)
    for axes, (measure, name) in zip(figure.subplots(2, 2).ravel(), MEASURES.items(), strict=True):
        draw(axes, measure)
        axes.set_title(f"{name}, dB" if "psnr" in measure else name)
        axes.grid(alpha=0.3)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def _score_table(bench: Bench, seeds: Sequence[int], table: Table, fit: Fit) -> list[str]:
    rows = []
    for title, variant in table.items():
        own = bench.lines(seeds, resolve(variant, fit))
        base = bench.lines(seeds, variant.baseline)
        cells = [str(interval(scene_means(own, measure))) for measure in MEASURES]
        for measure in ("psnr", "hole_psnr"):
            same = variant == variant.baseline
            pair = scene_means(own, measure), scene_means(base, measure)
            cells.append("-" if same else signed(paired_interval(*pair)))
        rows.append([title, *cells, f"{np.median([line['seconds'] for line in own]):.1f}"])
    return markdown_table(["", *MEASURES.values(), "PSNR gain", "gain in holes", "seconds"], rows)


def _angle_table(bench: Bench, seeds: Sequence[int], table: Table, fit: Fit, measure: str) -> list[str]:
    rows = [
        [title, *map(str, by_frame(bench.lines(seeds, resolve(variant, fit)), measure))]
        for title, variant in table.items()
    ]
    return markdown_table(["", *(f"{angle:g}°" for angle in bench.experiment.settings.angles)], rows)


def _camera_table(bench: Bench, seeds: Sequence[int], table: Table, fit: Fit) -> list[str]:
    rows = []
    for title, variant in table.items():
        lines = bench.lines(seeds, resolve(variant, fit))
        rows.append([title, *camera_cells(lines)])
    return markdown_table(["", *CAMERAS.values()], rows)


def camera_cells(lines: Sequence[Line]) -> list[str]:
    """Means over scenes of `CAMERAS`, with their intervals; the lines must have them."""
    return [interval([line["cameras"][name] for line in lines]).text(4) for name in CAMERAS]


def _on_the_first(seeds: Sequence[int], all_seeds: Sequence[int]) -> list[str]:
    return [f"On the first {len(seeds)} scenes.", ""] if len(seeds) < len(all_seeds) else []


def _fit_lines(fit: Fit) -> list[str]:
    return [
        f"- {name}: best constant w = {found.constant.w:g}; closed form v2/v1 = "
        f"{found.closed_form.v2 / found.closed_form.v1:.4g}, v3/v1 = {found.closed_form.v3 / found.closed_form.v1:.4g}"
        + (f"; learning rate {found.learning_rate:g}" if name == "Post" else "")
        for name, found in (("DGS", fit.dgs), ("Post", fit.post))
    ]


def signed(value: Interval) -> str:
    """A difference, with its sign.

    >>> signed(Interval(0.5, 0.1)), signed(Interval(-0.5, 0.1))
    ('+0.50 ± 0.10', '-0.50 ± 0.10')
    """
    return str(value) if value.mean < 0 or np.isnan(value.mean) else f"+{value}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown; all columns but the first are numbers.

    >>> markdown_table(["", "dB"], [["warp", "20.1"]])
    ['|  | dB |', '| --- | --: |', '| warp | 20.1 |']
    """
    lines = [header, ["---", *("--:" for _ in header[1:])], *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]
