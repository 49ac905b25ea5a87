"""What does each part that the paper has not do for quality? `python scripts/parts_quality.py WEIGHTS` measures it.

Frames of evaluation scenes by DGS with w = 1 and holes drawn to their fill, with each part alone and some together;
every run is compared to that without any, scene by scene. Results are kept, so that the script can be killed and called
again. The table goes into docs/guidance.md between its markers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from nvs_jax.commands.compilation_cache import enable_compilation_cache
from nvs_jax.commands.evaluate import measuring, open_bench
from nvs_jax.diffusion.assemble import make_solver
from nvs_jax.diffusion.combinators.assemble import around_solver
from nvs_jax.diffusion.counting import estimates_in
from nvs_jax.diffusion.levels import make_levels
from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.evaluation.intervals import interval, paired_interval
from nvs_jax.evaluation.measure import Bench, Line, measure
from nvs_jax.evaluation.problems import render_settings
from nvs_jax.evaluation.report import CAMERAS, MEASURES, camera_cells, markdown_table, scene_means, signed
from nvs_jax.evaluation.variants import FOR_LOOKS, FOR_PSNR, ClosedForm, Constant, Table, Variant
from nvs_jax.pipeline import Pipeline, load
from nvs_jax.settings.evaluation import EVALUATION_SEEDS, FITTING_SEEDS, BenchmarkSettings
from nvs_jax.settings.presets import load_settings
from scripts.documentation import write_results
from scripts.mistakes import mistakes_in_one_line

PLAIN, FILL = "none", "smoothly filled warp"
DGS = Variant("dgs", Constant(), hole_strength=0.5)
POST = replace(DGS, method="post", learning_rate=0.5)
"""The rate that docs/evaluation.md has found best."""


def with_parts(variant: Variant, **parts: Any) -> Variant:
    """A variant with settings of parts: `group__name=value`."""
    more = tuple((name.replace("__", "."), value) for name, value in parts.items())
    return replace(variant, more=variant.more + more)


def in_levels(variant: Variant, *levels: float) -> Variant:
    """A variant whose steps are lcm's, over these levels."""
    return replace(with_parts(variant, schedule__kind="list", schedule__levels=levels), solver="lcm")


_AGAINST = ("PSNR against none", "in holes", "in holes, over the fill")
FITTED = ClosedForm(v2=350_000.0)
"""What docs/evaluation.md has found best of (18)."""
LCM4 = in_levels(DGS, *load_settings("lcm4").schedule.levels)
ROWS: Table = {
    FILL: Variant("baseline", fill="smooth"),
    PLAIN: DGS,
    "restarts from 1 to 20, twice": with_parts(DGS, restart__times=2),
    "resampling from 20 to 1, once": with_parts(DGS, resample__times=1),
    "resampling from 50 to 0.5, once": with_parts(DGS, resample__times=1, resample__low=0.5, resample__high=50.0),
    "the same, holes drawn down to 3": FOR_LOOKS,
    "holes drawn by 0.3": replace(DGS, hole_strength=0.3),
    "holes drawn by 0": replace(DGS, hole_strength=0.0),
    "soft holes, edge of 2 cells": with_parts(DGS, guidance__hole_edge=2.0),
    "soft holes, doubt at 40 pixels": with_parts(DGS, guidance__hole_doubt=40.0, trust__distance="pixels"),
    "agreement of holes, by half": with_parts(DGS, guidance__agreement=0.5),
    "restarts, edge and agreement together": with_parts(
        DGS, restart__times=2, guidance__hole_edge=1.0, guidance__agreement=0.5
    ),
    "start from the views at 10": with_parts(DGS, schedule__start=10.0),
    "start from the views at 1": with_parts(DGS, schedule__start=1.0),
    "`lcm`, 25 steps": replace(DGS, solver="lcm"),
    "`lcm`, 4 steps": LCM4,
    "`lcm`, 4 steps, holes drawn by 0.3": FOR_PSNR,
    "`lcm`, 1 step": in_levels(DGS, 700.0),
    "`lcm`, 4 steps, edge of 1 cell": with_parts(LCM4, guidance__hole_edge=1.0),
    "`lcm`, 4 steps, agreement by half": with_parts(LCM4, guidance__agreement=0.5),
    "`lcm`, 4 steps, w = 0.8": replace(LCM4, trust=Constant(0.8)),
    "`lcm`, 4 steps, w by (18), fitted": replace(LCM4, trust=FITTED),
    "`lcm`, 4 steps, best of 6 particles": with_parts(
        LCM4, particles__count=6, particles__low=0.1, particles__high=700.0
    ),
    "Euler, 10 steps": replace(DGS, steps=10),
    "Euler, 5 steps": replace(DGS, steps=5),
    "Post": POST,
    "Post, 5 steps": replace(POST, steps=5),
}
"""What is measured. Numbers were chosen on fitting scenes."""


@dataclass(frozen=True)
class Arguments:
    """What to measure."""

    weights: tyro.conf.Positional[str]
    """As of `nvs-jax evaluate`."""
    out: Path = Path("out/parts")
    """The folder with the results; parts.md is written there."""
    scenes: int = len(EVALUATION_SEEDS)
    """How many of the evaluation's scenes."""
    fitting: bool = False
    """Take the fitting scenes in their place, to choose."""
    rows: tuple[str, ...] = ()
    """Which rows; none: all."""
    cameras: bool = False
    """Recover the cameras of the frames, too: minutes more a row."""
    docs: Path | None = Path("docs")
    """The folder with guidance.md; None: it is not written."""
    settings: Annotated[BenchmarkSettings, tyro.conf.arg(name="")] = field(default_factory=BenchmarkSettings)
    """Pictures and path."""

    def __post_init__(self):
        if not 1 <= self.scenes <= len(EVALUATION_SEEDS):
            raise InputError(f"--scenes must lie between 1 and {len(EVALUATION_SEEDS)}, not {self.scenes}")
        if unknown := set(self.rows) - set(ROWS):
            raise InputError(f"--rows: there is no {sorted(unknown)[0]!r}; choose of: {'; '.join(ROWS)}")


def evaluations(variant: Variant, pipeline: Pipeline) -> int:
    """How often the network is evaluated for a video of one scene, without Post's corrections.

    A batch of particles, and every video of a mean, counts for as many as it has.
    """
    if variant.method == "baseline":
        return 0
    settings = render_settings(variant, pipeline)
    solver = make_solver(settings.solver, settings.schedule.steps)
    made = estimates_in(*around_solver(settings, solver, make_levels(settings)))
    return made * settings.particles.count * variant.videos


def table(bench: Bench, seeds: Sequence[int], rows: Table) -> list[str]:
    """A row a variant: evaluations, quality, and how far it is from the run without parts."""
    plain, fill, lines = bench.lines(seeds, DGS), bench.lines(seeds, ROWS[FILL]), []
    of_all = {title: bench.lines(seeds, variant) for title, variant in rows.items()}
    cameras = CAMERAS if any(_has_cameras(own) for own in of_all.values()) else {}
    for title, variant in rows.items():
        own, cells = of_all[title], [str(evaluations(variant, bench.pipeline))]
        cells += [str(interval(scene_means(own, name))) for name in MEASURES]
        for name in ("psnr", "hole_psnr"):
            pair = scene_means(own, name), scene_means(plain, name)
            cells.append("-" if variant == DGS else signed(paired_interval(*pair)))
        pair = scene_means(own, "hole_psnr"), scene_means(fill, "hole_psnr")
        cells.append("-" if variant == ROWS[FILL] else signed(paired_interval(*pair)))
        if cameras:
            cells += camera_cells(own) if _has_cameras(own) else ["-"] * len(cameras)
        lines.append([title, *cells])
    columns = ["", "evaluations", *MEASURES.values(), *_AGAINST, *cameras.values()]
    return markdown_table(columns, lines)


def _has_cameras(lines: Sequence[Line]) -> bool:
    return all("cameras" in line for line in lines)


def main(arguments: Arguments) -> None:
    """Measure what is missing, print the table, and write it into the documentation."""
    enable_compilation_cache()
    with measuring(arguments.out):
        bench = open_bench(load(arguments.weights), arguments.settings, arguments.out)
        seeds = FITTING_SEEDS if arguments.fitting else EVALUATION_SEEDS[: arguments.scenes]
        rows = {title: variant for title, variant in ROWS.items() if not arguments.rows or title in arguments.rows}
        measure(bench, seeds, list(dict.fromkeys([DGS, ROWS[FILL], *rows.values()])), arguments.cameras, title="parts")
    about = (
        f"DGS with w = 1 and holes drawn to their fill, 25 steps of Euler where nothing else is said; {len(seeds)} "
        f"scenes (seeds {seeds[0]} to {seeds[-1]}){arguments.settings.looks}, weights {bench.experiment.weights}. "
        "Means over scenes with 95 % confidence intervals; differences are to the run without parts, scene by scene."
    )
    text = "\n".join([about, "", *table(bench, seeds, rows)]) + "\n"
    print(text)
    with atomic_path(arguments.out / "parts.md") as path:
        path.write_text(text, encoding="utf-8")
    if arguments.docs is not None:
        write_results(arguments.docs / "guidance.md", "scripts/parts_quality.py", text)


if __name__ == "__main__":
    with mistakes_in_one_line():
        main(tyro.cli(Arguments, description=__doc__))
