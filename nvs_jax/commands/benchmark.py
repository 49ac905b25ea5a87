"""A benchmark of the field as `nvs-jax benchmark` runs it: folders of posed pictures in, scores and a report out."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nvs_jax.commands.benchmark_tasks import part_of, settings_of, shorter_side, tasks
from nvs_jax.disk import atomic_path, job_at_hand, mirrored, one_at_a_time
from nvs_jax.evaluation.compared import compared
from nvs_jax.evaluation.records import Records, weights_digest
from nvs_jax.evaluation.sample_scores import known_scores
from nvs_jax.evaluation.samples import Task, frames_of, variants_of
from nvs_jax.evaluation.samples_report import Line, samples_report
from nvs_jax.media import write_picture
from nvs_jax.media.splits import WITHOUT_TRUTH, Sample, open_split
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.pipeline import Pipeline, load
from nvs_jax.runs.results import sheet
from nvs_jax.runs.shares import Share, own_share
from nvs_jax.runs.stopping import Stopped, StopRequest, stop_on_signals
from nvs_jax.saying import bar, say, tell
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.benchmark import BenchmarkJob

PROTOCOL = 1
"""Goes up whenever the same frames would get other scores: old results are left."""
_PICTURES = "pictures"
_RESULTS = "results", ".jsonl"


@dataclass(frozen=True)
class Bench:
    """What is measured, with what, and where to.

    Attributes:
        job: of the command.
        pipeline: the model.
        weights: a short name of it.
        scenes: by name; what each calls reads its cameras.
        records: what has been measured.
    """

    job: BenchmarkJob
    pipeline: Pipeline
    weights: str
    scenes: dict[str, Callable[[], Sample | Unposed]]
    records: Records

    @property
    def variants(self) -> tuple[str, ...]:
        """What is compared."""
        return variants_of(self.job.split not in WITHOUT_TRUTH)

    def key(self, scene: str, variant: str, video: int) -> str:
        """Names a result; equal where the frames are."""
        job = self.job
        depth = [job.distance, job.depth_weights, job.depth_kind]
        size = [shorter_side(job), part_of(job), job.compared_side]
        asked = [job.split, job.inputs, job.targets, *depth, *size, job.dtype, job.seed, job.preset]
        parts = [PROTOCOL, self.weights, asked, asdict(job.settings), scene, variant, video]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]

    def lines(self, scene: str, variant: str) -> list[Line]:
        """What has been measured of a scene, a line a video; empty until all of its videos are there."""
        found: list[Line] = []
        while (line := self.records.lines.get(self.key(scene, variant, len(found)))) is not None:
            found.append(line)
        return found if found and len(found) == found[0]["videos"] else []


def run_benchmark(job: BenchmarkJob) -> None:
    """Measure what is missing in the job's folder, and write report.md beside the results.

    Raises:
        InputError: data, weights or earlier results that cannot be read, or another process that measures into the
            same file.
        Stopped: it was asked for; the same command goes on.
    """
    with job_at_hand(job) as near, mirrored(job.out) as mirror, stop_on_signals() as stop:
        share = own_share(job.shard)
        scenes = open_split(near.split, near.data, near.inputs, near.targets, near.subset)
        scenes = dict(list(scenes.items())[: near.scenes])
        mine = {name: scenes[name] for index, name in enumerate(scenes) if share.includes(index)}
        say(f"{len(mine)} of {len(scenes)} scenes are this process's")
        path = mirror.folder / share.name(*_RESULTS)
        with one_at_a_time(path, mirror.folder):
            pipeline = load(near.weights, dtype=near.dtype)
            records = Records(path, mirror.follow)
            bench = Bench(near, pipeline, weights_digest(pipeline.model.networks), mine, records)
            _measure(bench, mirror.folder / _PICTURES, stop)
        _report(replace(bench, scenes=scenes), mirror.folder, share)


def _measure(bench: Bench, pictures: Path, stop: StopRequest) -> None:
    """All variants of all scenes, scene by scene; what is there is not measured again."""
    missing = [name for name in bench.scenes if not all(bench.lines(name, variant) for variant in bench.variants)]
    for name in bar(missing, desc="benchmark", unit="scene", disable=not missing):
        sample = bench.scenes[name]()
        lattice = bench.pipeline.model.lattice
        settings = settings_of(bench.job, sample, lattice.pixels)
        videos = list(tasks(bench.job, sample, settings, lattice))
        for video, task in enumerate(videos):
            rows = {"given" if task.truth is None else "truth": task.real}
            for variant in bench.variants:
                if video and bench.key(name, variant, video) in bench.records.lines:
                    continue  # of the first video the frames are shown, too
                rows[variant] = _one(bench, Video(name, variant, video, len(videos)), task, settings)
                _obey(stop, f"after {variant} of {name}, which is kept")
            if video == 0:
                write_picture(pictures / f"{_plain(name)}.png", sheet(rows))


def _obey(stop: StopRequest, where: str) -> None:
    try:
        stop.obey(where)
    except Stopped as stopped:
        raise Stopped(stopped.where, "the same command") from None


class Video(NamedTuple):
    """What is measured at once: the scene, the row, which video of the scene, and how many it has."""

    scene: str
    variant: str
    video: int
    videos: int


def _one(bench: Bench, what: Video, task: Task, settings: RenderSettings) -> np.ndarray:
    """Measure one video of a variant, and keep the result; its scored frames."""
    since = time.perf_counter()
    job = bench.job
    frames = frames_of(bench.pipeline, task, what.variant, settings, job.seed + what.video)
    key = bench.key(what.scene, what.variant, what.video)
    if key not in bench.records.lines:
        seconds = round(time.perf_counter() - since, 3)
        named = {"weights": bench.weights, **what._asdict()}
        scores = known_scores(*compared(frames, task, part_of(job), job.compared_side))
        bench.records.append(key, **named, seconds=seconds, scores=scores)
    return frames


def _report(bench: Bench, out: Path, share: Share) -> None:
    """report.md of all scenes, if all are measured, by whichever processes."""
    if share.count > 1:
        for index in range(share.count):
            other = out / Share(index, share.count).name(*_RESULTS)
            bench.records.lines.update(Records(other).lines)
    left = [name for name in bench.scenes if not all(bench.lines(name, variant) for variant in bench.variants)]
    if left:
        tell(f"{len(left)} of {len(bench.scenes)} scenes are not measured yet; the last process writes report.md")
        return
    lines_of = {
        variant: [line for name in bench.scenes for line in bench.lines(name, variant)] for variant in bench.variants
    }
    pictures = [Path(_PICTURES) / f"{_plain(name)}.png" for name in bench.scenes]
    text = samples_report(lines_of, _protocol(bench), [path for path in pictures if (out / path).is_file()])
    with atomic_path(out / "report.md") as path:
        path.write_text(text, encoding="utf-8")
    tell(text)
    tell(str(out / "report.md"))


def _protocol(bench: Bench) -> str:
    job, lattice = bench.job, bench.pipeline.model.lattice
    frames = job.settings.path.frames or lattice.frames
    settings = job.settings
    size = "the given pictures' own shape" if settings.picture.size is None else "{}x{}".format(*settings.picture.size)
    side = shorter_side(job)
    size += "" if side is None else f", the shorter side {side}"
    part = "" if part_of(job) == "all" else ", compared in the square in the middle"
    part += "" if job.compared_side is None else f", resampled to {job.compared_side}"
    given = "a photo or a video given" if job.split in WITHOUT_TRUTH else f"{job.inputs} given"
    return (
        f"Layout {job.split}, {given}, videos of {frames} frames at {size} ({settings.picture.fit}){part}, "
        f"{settings.guidance.method}, {settings.schedule.steps} steps. Weights {bench.weights}."
    )


def _plain(name: str) -> str:
    return name.replace("/", "-")
