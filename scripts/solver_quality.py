"""How good is each solver for what it costs? `python scripts/solver_quality.py WEIGHTS` measures it.

Frames of evaluation scenes by DGS with every solver, at numbers of steps that cost the same number of estimates (a pass
of the network, with classifier-free guidance of both branches). Euler's with the most estimates are the yardstick:
every other run is compared to it, scene by scene. Results are kept beside those of `nvs-jax evaluate`, which are used
where they are the same; what is there is not measured again, so that the script can be killed and called again. The
table and the curves go into docs/guidance.md between its markers.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from nvs_jax.commands.compilation_cache import enable_compilation_cache
from nvs_jax.commands.evaluate import measuring, open_bench
from nvs_jax.diffusion import karras_sigmas, make_solver
from nvs_jax.diffusion.counting import estimates_in
from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.evaluation.fitting import read_fit
from nvs_jax.evaluation.intervals import Interval, interval, paired_interval
from nvs_jax.evaluation.measure import Bench, measure
from nvs_jax.evaluation.report import draw_measures, markdown_table, scene_means, signed
from nvs_jax.evaluation.variants import ClosedForm, Fit, Fitted, Rule, Variant, resolve
from nvs_jax.pipeline import load
from nvs_jax.settings import SolverKind, SolverSettings, registry
from nvs_jax.settings.evaluation import EVALUATION_SEEDS, BenchmarkSettings
from nvs_jax.settings.jobs import Dtype
from scripts.documentation import write_results
from scripts.mistakes import mistakes_in_one_line

NAMES: dict[SolverKind, str] = {name: solver.title for name, solver in registry.solvers().items()}
RULES: dict[str, Rule | Fitted] = {"fitted": "fitted", "constant": "best constant", "release": ClosedForm()}


@dataclass(frozen=True)
class Arguments:
    """What to measure. The curve takes fewer scenes than the evaluation: differences are paired."""

    weights: tyro.conf.Positional[str]
    """As of `nvs-jax evaluate`."""
    out: Path = Path("out/evaluation")
    """The folder with the results of `nvs-jax evaluate`; solvers.md and solvers.png are written there."""
    rule: Literal["fitted", "constant", "release"] = "fitted"
    """Weights of the warped view: the fitted closed form, the best constant, or the release's closed form."""
    fit: Path | None = None
    """A fit.json; None: the one in `out`."""
    scenes: int = 8
    """How many of the evaluation's scenes."""
    estimates: tuple[int, ...] = (5, 10, 15, 25, 50, 100)
    """How many a run may make; solvers with two a step make one fewer where that is even."""
    solvers: tuple[SolverKind, ...] = tuple(NAMES)
    """Which to compare."""
    dtype: Dtype = "float32"
    """Of the UNet and the image encoder."""
    docs: Path = Path("docs")
    """The folder with guidance.md."""
    settings: Annotated[BenchmarkSettings, tyro.conf.arg(name="")] = field(default_factory=BenchmarkSettings)
    """Pictures and path."""

    def __post_init__(self):
        if not 1 <= self.scenes <= len(EVALUATION_SEEDS):
            raise InputError(f"--scenes must lie between 1 and {len(EVALUATION_SEEDS)}, not {self.scenes}")
        if not self.estimates or min(self.estimates) < 1:
            raise InputError(f"--estimates must be positive numbers, not {self.estimates}")


@dataclass(frozen=True)
class Run:
    """A solver with a number of steps, and how many estimates that makes."""

    solver: SolverKind
    estimates: int
    variant: Variant


def run_of(solver: SolverKind, most: int, rule: Rule) -> Run:
    """The run with at most this many estimates, or with the single one that the shortest run makes.

    >>> [(run.variant.steps, run.estimates) for run in (run_of(name, 10, ClosedForm()) for name in ("euler", "heun"))]
    [(10, 10), (5, 9)]
    """
    three, four = (_estimates(solver, steps) for steps in (3, 4))
    about = 3 + (most - three) // max(1, four - three)
    steps = next(few for few in range(about + 1, -1, -1) if few <= 1 or _estimates(solver, few) <= most) or 1
    return Run(solver, _estimates(solver, steps), Variant("dgs", rule, steps=steps, solver=solver))


@cache
def _estimates(solver: SolverKind, steps: int) -> int:
    return estimates_in(make_solver(SolverSettings(solver), steps), karras_sigmas(steps))


def runs_of(arguments: Arguments, rule: Rule) -> tuple[Run, list[Run]]:
    """The yardstick, and all runs."""
    budgets = sorted(set(arguments.estimates))
    runs = {run_of(solver, most, rule): None for solver in arguments.solvers for most in budgets}
    return run_of("euler", budgets[-1], rule), list(runs)


def rule_of(arguments: Arguments) -> Rule:
    """The numbers of the rule that was asked for.

    Raises:
        InputError: there is no fit to take them from.
    """
    wanted = Variant("dgs", RULES[arguments.rule])
    path = arguments.fit or arguments.out / "fit.json"
    if not isinstance(wanted.trust, str):
        found = Fit()
    elif path.is_file():
        found = read_fit(path)
    else:
        raise InputError(f"{path} is missing: run `nvs-jax evaluate` or tune_guidance.py first, or say --rule release")
    rule = resolve(wanted, found).trust
    assert not isinstance(rule, str)
    return rule


def differences(bench: Bench, seeds: Sequence[int], run: Run, yardstick: Run, measure_name: str) -> Interval:
    """To the yardstick, scene by scene."""
    pair = (scene_means(bench.lines(seeds, one.variant), measure_name) for one in (run, yardstick))
    return paired_interval(*pair)


def table(bench: Bench, seeds: Sequence[int], runs: Sequence[Run], yardstick: Run) -> list[str]:
    """A row a run: what it costs, how good it is, and how far it is from the yardstick."""
    rows = []
    for run in runs:
        lines = bench.lines(seeds, run.variant)
        quality = [str(interval(scene_means(lines, name))) for name in ("psnr", "hole_psnr")]
        far = ["-"] * 2 if run == yardstick else [
            signed(differences(bench, seeds, run, yardstick, name)) for name in ("psnr", "hole_psnr")
        ]  # fmt: skip
        rows.append([NAMES[run.solver], str(run.estimates), str(run.variant.steps), *quality, *far])
    reference = f"{NAMES[yardstick.solver]}-{yardstick.variant.steps}"
    header = ["", "estimates", "steps", "PSNR", "in holes", f"PSNR against {reference}", "in holes"]
    return markdown_table(header, rows)


def draw(path: Path, bench: Bench, seeds: Sequence[int], runs: Sequence[Run], yardstick: Run) -> None:
    """Quality against estimates, a curve a solver; bars are the intervals of the differences to the yardstick."""

    def draw_one(axes: Any, measure_name: str) -> None:
        for solver, name in NAMES.items():
            own = [run for run in runs if run.solver == solver]
            if not own:
                continue
            means = [interval(scene_means(bench.lines(seeds, run.variant), measure_name)).mean for run in own]
            halves = [differences(bench, seeds, run, yardstick, measure_name).half for run in own]
            bars = None if len(seeds) < 2 else halves
            axes.errorbar([run.estimates for run in own], means, bars, marker="o", capsize=3, label=name)
        axes.set_xlabel("estimates")
        axes.set_xscale("log")
        ticks = sorted({run.estimates for run in runs if run.solver == runs[0].solver})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()

    draw_measures(path, draw_one)


def main(arguments: Arguments) -> None:
    """Measure what is missing, print the table, and write it into the documentation."""
    enable_compilation_cache()
    with measuring(arguments.out):
        _run(arguments)


def _run(arguments: Arguments) -> None:
    rule = rule_of(arguments)
    yardstick, runs = runs_of(arguments, rule)
    bench = open_bench(load(arguments.weights, dtype=arguments.dtype), arguments.settings, arguments.out)
    seeds = EVALUATION_SEEDS[: arguments.scenes]
    measure(bench, seeds, [run.variant for run in dict.fromkeys([*runs, yardstick])], title="solvers")
    about = (
        f"DGS with w by {rule}, {len(seeds)} scenes (seeds {seeds[0]} to {seeds[-1]}){arguments.settings.looks}, "
        f"weights {bench.experiment.weights}. Means over scenes in dB with 95 % confidence intervals; differences are "
        "scene by scene."
    )
    text = "\n".join([about, "", *table(bench, seeds, runs, yardstick)]) + "\n"
    print(text)
    with atomic_path(arguments.out / "solvers.md") as path:
        path.write_text(text, encoding="utf-8")
    draw(arguments.out / "solvers.png", bench, seeds, runs, yardstick)
    images = arguments.docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(arguments.out / "solvers.png", images / "solver_quality.png")
    picture = "![Quality against estimates; bars: of the difference](images/solver_quality.png)"
    write_results(arguments.docs / "guidance.md", "scripts/solver_quality.py", f"{text}\n{picture}")


if __name__ == "__main__":
    with mistakes_in_one_line():
        main(tyro.cli(Arguments, description=__doc__))
