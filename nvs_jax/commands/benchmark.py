"""A benchmark of the field as `nvs-jax benchmark` runs it: folders of pictures in, scores and a report out."""

import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from nvs_jax.commands.beforehand import as_it_suits
from nvs_jax.commands.benchmark_report import PICTURES, write_report
from nvs_jax.commands.benchmark_results import Bench, Video
from nvs_jax.commands.benchmark_tasks import count_videos, part_of, settings_of, tasks
from nvs_jax.disk import job_at_hand, mirrored, one_at_a_time
from nvs_jax.errors import InputError
from nvs_jax.evaluation.field.compared import compared
from nvs_jax.evaluation.field.distances import check_enough, package_name
from nvs_jax.evaluation.field.found_cameras import find_cameras
from nvs_jax.evaluation.field.kept_frames import TRUE, check_names, plain
from nvs_jax.evaluation.field.sample_scores import known_scores
from nvs_jax.evaluation.field.samples import Task, frames_of
from nvs_jax.evaluation.records import Records, weights_digest
from nvs_jax.loading import load_lpips
from nvs_jax.media import write_picture
from nvs_jax.media.cameras.colmap.register import pycolmap_or_say
from nvs_jax.media.splits import WITHOUT_TRUTH, Sample, open_split
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.pipeline import load
from nvs_jax.runs.results import sheet
from nvs_jax.runs.shares import Share, own_share
from nvs_jax.runs.stopping import Stopped, StopRequest, stop_on_signals
from nvs_jax.saying import bar, say
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.benchmark import BenchmarkJob

_RESULTS = "results", ".jsonl"
_OF_POSED = ("lpips", "inputs", "targets", "distance", "shorter_side")
"""Options that say nothing where nobody knows a truth."""


def run_benchmark(job: BenchmarkJob) -> None:
    """Measure what is missing in the job's folder, and write report.md beside the results.

    Raises:
        InputError: data, weights or earlier results that cannot be read, something missing that measures, too few
            pictures, or another process that measures into the same file.
        Stopped: it was asked for; the same command goes on.
    """
    with job_at_hand(job) as near, mirrored(job.out) as mirror, stop_on_signals() as stop:
        share = own_share(job.shard)
        scenes = open_split(near.split, near.data, near.inputs, near.targets, near.subset)
        scenes = dict(list(scenes.items())[: near.scenes])
        check_names(scenes)
        _check_measures(near)
        _say_ignored(near)
        mine = {name: scenes[name] for index, name in enumerate(scenes) if share.includes(index)}
        say(f"{len(mine)} of {len(scenes)} scenes are this process's")
        path = mirror.folder / share.name(*_RESULTS)
        lpips = None if near.lpips is None or near.split in WITHOUT_TRUTH else load_lpips(near.lpips)
        with one_at_a_time(path, mirror.folder):
            pipeline = load(near.weights, dtype=near.dtype, frames=near.settings.path.frames, told=near.settings)
            near = replace(near, settings=as_it_suits(near, pipeline.model))
            records, frames = Records(path, mirror.follow), mirror.folder / "frames"
            bench = Bench(near, pipeline, weights_digest(pipeline.model.networks), mine, records, frames, lpips)
            _check_count(bench, scenes)
            _measure(bench, mirror.folder / PICTURES, stop)
            if near.cameras:
                _find_cameras(bench, stop)
        if share.count > 1:
            for index in range(share.count):
                other = mirror.folder / Share(index, share.count).name(*_RESULTS)
                bench.records.lines.update(Records(other).lines)
        write_report(replace(bench, scenes=scenes), mirror.folder)


def _check_measures(job: BenchmarkJob) -> None:
    """Before hours of work: what measures is there."""
    if job.cameras:
        pycolmap_or_say()
    if job.camera_files is not None and not job.camera_files.is_dir():
        raise InputError(f"--camera-files {job.camera_files} is no folder: poses of kept frames lie there")
    if job.fid is not None:
        package_name()
        if not job.fid.is_file():
            raise InputError(f"--fid {job.fid} is no file: it names the weights that torch-fidelity publishes")


def _say_ignored(job: BenchmarkJob) -> None:
    """What was given and makes no difference."""
    unposed, sized = job.split in WITHOUT_TRUTH, job.settings.picture.size is not None
    reasons = [
        (unposed, _OF_POSED, f"{job.split} has neither cameras nor true pictures"),
        (job.split != "davis", ("subset",), f"{job.split} has no lists of videos"),
        (sized and not unposed, ("shorter_side",), "--picture.size or the preset says the size"),
    ]
    defaults = {field.name: field.default for field in fields(job)}
    for applies, names, why in reasons:
        given = [f"--{name.replace('_', '-')}" for name in names if getattr(job, name) != defaults[name]]
        if applies and given:
            say(f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} ignored: {why}")


def _check_count(bench: Bench, scenes: Mapping[str, Callable[[], Sample | Unposed]]) -> None:
    """Before hours of work: there will be pictures enough for FID."""
    if bench.job.fid is None:
        return
    frames = bench.job.settings.path.frames or bench.pipeline.model.lattice.frames
    made, true = 0, 0
    for read in scenes.values():
        sample = read()
        if isinstance(sample, Unposed):
            made += frames - 1  # of a photo at least
            true += frames if sample.is_video else 1
        else:
            made += len(sample.targets.cameras)
            true += len(sample.targets.cameras)
    check_enough(true, "true", few=bench.job.fid_of_few)
    check_enough(made, "made", few=bench.job.fid_of_few)


def _measure(bench: Bench, pictures: Path, stop: StopRequest) -> None:
    """All variants of all scenes, scene by scene; what is there is not measured again."""
    missing = bench.unmeasured()
    for name in bar(missing, desc="benchmark", unit="scene", disable=not missing):
        sample = bench.scenes[name]()
        lattice = bench.pipeline.model.lattice
        settings = settings_of(bench.job, sample, lattice.pixels)
        videos = count_videos(sample, settings, lattice)
        for video, task in enumerate(tasks(bench.job, sample, settings, lattice)):
            rows = {"given" if task.truth is None else "truth": task.real}
            for variant in bench.variants:
                if video and bench.line(name, variant, video) is not None:
                    continue  # of the first video the frames are shown, too
                rows[variant] = _one(bench, Video(name, variant, video, videos), task, settings)
                _obey(stop, f"after {variant} of {name}, which is kept")
            if video == 0:
                write_picture(pictures / f"{plain(name)}.png", sheet(rows))


def _obey(stop: StopRequest, where: str) -> None:
    try:
        stop.obey(where)
    except Stopped as stopped:
        raise Stopped(stopped.where, "the same command") from None


def _one(bench: Bench, what: Video, task: Task, settings: RenderSettings) -> np.ndarray:
    """Measure one video of a variant, and keep the result; its scored frames."""
    since = time.perf_counter()
    job = bench.job
    frames = frames_of(bench.pipeline, task, what.variant, settings, job.seed + what.video)
    if bench.line(what.scene, what.variant, what.video) is None:
        seconds = round(time.perf_counter() - since, 3)
        cut, against = compared(frames, task, part_of(job), job.compared_side)
        if bench.keeps_frames:
            _keep_frames(bench, what, cut, against)
        named = {"weights": bench.weights, **what._asdict(), "seconds": seconds}
        if bench.lpips_name is not None:
            named["lpips"] = bench.lpips_name
        key = bench.key(what.scene, what.variant, what.video)
        bench.records.append(key, **named, scores=known_scores(cut, against, bench.lpips))
    return frames


def _keep_frames(bench: Bench, what: Video, frames: np.ndarray, task: Task) -> None:
    """The frames of a video, and once what they are compared with; all videos of a photo have the same."""
    rows = {what.variant: frames}
    if task.truth is not None or what.video == 0:
        rows[TRUE] = task.real
    for row, pictures in rows.items():
        if not bench.holds_frames(row, what.scene, what.video):
            key = bench.key(what.scene, row, what.video)
            bench.kept(row, what.scene, what.video).write(key, pictures, task.poses, task.intrinsics)


def _find_cameras(bench: Bench, stop: StopRequest) -> None:
    """Poses in all kept frames of this process's scenes that were not looked for yet."""
    kept = [
        bench.kept(variant, name, video)
        for name in bench.scenes
        for variant in bench.variants
        for video in range(len(bench.lines(name, variant)))
    ]
    missing = [video for video in kept if not video.found.is_file()]
    for video in bar(missing, desc="cameras", unit="video", disable=not missing):
        find_cameras(video)
        bench.records.follow()
        _obey(stop, f"after the cameras of {video.folder}, which are kept")
