"""The benchmark as `nvs-jax evaluate` runs it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nvs_jax.disk import atomic_path, job_at_hand, mirrored, one_at_a_time
from nvs_jax.evaluation.fitting import fit, read_fit, write_fit
from nvs_jax.evaluation.measure import Bench, measure
from nvs_jax.evaluation.records import Experiment, Records, weights_digest
from nvs_jax.evaluation.report import draw_curves, draw_steps, report
from nvs_jax.evaluation.variants import MAIN, QUICK, TABLES, Fit, Table, variants_of
from nvs_jax.models.contract import VideoModel
from nvs_jax.pipeline import Pipeline, load
from nvs_jax.saying import say, tell
from nvs_jax.settings.evaluation import EVALUATION_SEEDS, FITTING_SEEDS, BenchmarkSettings
from nvs_jax.settings.jobs import EvaluateJob

QUICK_SCENES = 4
RESULTS = "results.jsonl"


@dataclass(frozen=True)
class Evaluation:
    """A finished benchmark: what was measured, on which scenes, with which numbers, and what it says."""

    bench: Bench
    seeds: Sequence[int]
    tables: dict[str, Table]
    fit: Fit
    text: str


def run_evaluate(job: EvaluateJob) -> Evaluation:
    """Measure what is missing in the job's folder, and write report.md and the curves beside the results.

    Raises:
        InputError: weights or earlier results that cannot be read, a size the model does not take, or another
            process that measures into the folder.
    """
    with job_at_hand(job) as near, mirrored(job.out) as mirror, measuring(mirror.folder):
        return _evaluate(replace(near, out=mirror.folder), mirror.follow)


@contextmanager
def measuring(out: Path) -> Iterator[None]:
    """Alone with the results in a folder: two processes would measure everything twice.

    Raises:
        InputError: another process measures into it.
    """
    with one_at_a_time(out / RESULTS, out):
        yield


def _evaluate(job: EvaluateJob, follow: Callable[[], None]) -> Evaluation:
    bench = open_bench(load(job.weights, dtype=job.dtype, frames=job.settings.frames), job.settings, job.out, follow)
    tables = _possible(QUICK if job.quick else TABLES, bench.pipeline.model)
    count = job.scenes or (QUICK_SCENES if job.quick else len(EVALUATION_SEEDS))
    seeds = EVALUATION_SEEDS[:count]
    found = Fit()
    fitted = not job.quick
    if job.fit is not None:
        found = read_fit(job.fit)
    elif fitted:
        found = fit(bench, FITTING_SEEDS[: job.fitting_scenes])
        write_fit(job.out / "fit.json", found)
    fewer = seeds[: job.detail_scenes]
    main, others = {MAIN: tables[MAIN]}, {title: table for title, table in tables.items() if title != MAIN and fewer}
    tables = main | others
    if job.cameras:
        measure(bench, fewer, variants_of(main, found), cameras=True)
    measure(bench, seeds, variants_of(main, found))
    measure(bench, fewer, variants_of(others, found))
    seeds_of = dict.fromkeys(main, seeds) | dict.fromkeys(others, fewer)
    text = report(bench, seeds_of, tables, found, with_fit=fitted, camera_seeds=fewer if job.cameras else ())
    with atomic_path(job.out / "report.md") as path:
        path.write_text(text, encoding="utf-8")
    draw_curves(job.out / "angles.png", bench, seeds, tables[MAIN], found)
    if "Steps" in tables:
        draw_steps(job.out / "steps.png", bench, fewer, tables["Steps"], found)
    tell(text)
    tell(str(job.out / "report.md"))
    return Evaluation(bench, seeds, tables, found, text)


def _possible(tables: dict[str, Table], model: VideoModel) -> dict[str, Table]:
    """Without variants that scale latents otherwise, where the model's have no scale; says so."""
    if model.latent_scale is not None:
        return tables
    unscaled = {
        title: {name: variant for name, variant in table.items() if variant.target_scale == 1}
        for title, table in tables.items()
    }
    if unscaled != tables:
        say("variants with another target scale are left out: this model's latents have no scale")
    return unscaled


def open_bench(
    pipeline: Pipeline, settings: BenchmarkSettings, out: Path, follow: Callable[[], None] = lambda: None
) -> Bench:
    """A bench whose results are kept in `out`/results.jsonl; `follow` is called after each.

    Raises:
        InputError: the model does not take the size, or earlier results cannot be read.
    """
    pipeline.model.lattice.check(settings.frames, *settings.size)
    experiment = Experiment(weights_digest(pipeline.model.networks), settings)
    return Bench(pipeline, experiment, Records(out / RESULTS, follow))
