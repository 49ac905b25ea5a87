"""Jobs done: files in, a folder of results out."""

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax.numpy as jnp
from tqdm import tqdm

from nvs_jax.compilation_cache import enable_compilation_cache
from nvs_jax.geometry.trajectories import Poses
from nvs_jax.jobs import ConvertJob, DemoJob, Job, SingleJob, WarpJob
from nvs_jax.pipeline import Pipeline, Render, load, override, warp_views
from nvs_jax.results import result_folder, write_record, write_render, write_warp
from nvs_jax.settings import RenderSettings
from nvs_jax.views import DepthFile, View, camera_path, read_view

# What SVD needs, for warps made before a model is chosen: its VAE's stride times its UNet's, and its video's length.
SVD_MULTIPLE, SVD_FRAMES = 64, 25


def run_job(job: Job) -> None:
    """Do what the command line asked for.

    Raises:
        InputError: a mistake of the user's.
    """
    enable_compilation_cache()
    match job:
        case SingleJob():
            run_single(job)
        case WarpJob():
            run_warp(job)
        case ConvertJob():
            from convert import convert

            convert(job.source, job.destination, job.dtype, overwrite=job.overwrite)
        case DemoJob():
            from nvs_jax.demo import run_demo

            run_demo(job)


def run_single(job: SingleJob) -> None:
    """One photo to a video of new views."""
    settings = override(job.settings, job.method, job.steps)
    with result_folder(job.out, overwrite=job.overwrite) as folder:
        pipeline = load(job.weights, dtype=job.dtype)
        view = _read(job, settings, pipeline.model.multiple)
        path = camera_path(settings.path, pipeline.model.frames)
        render_into(folder, pipeline, view, path, job.seed, settings, asdict(job))
    print(f"{job.out}/video.mp4")


def run_warp(job: WarpJob) -> None:
    """The warps alone."""
    settings = job.settings
    with result_folder(job.out, overwrite=job.overwrite) as folder:
        view = _read(job, settings, SVD_MULTIPLE)
        path = camera_path(settings.path, SVD_FRAMES)
        warp = warp_views(view.picture, view.depth, path, jnp.asarray(view.intrinsics), settings)
        write_warp(folder, view.picture, warp, float(settings.conditioning.fps))
        write_record(folder, job=asdict(job), fit=view.fit, path=path)
    print(f"{job.out}/warps.gif")


def render_into(
    folder: Path,
    pipeline: Pipeline,
    view: View,
    path: Poses,
    seed: int,
    settings: RenderSettings,
    job: Mapping[str, Any],
) -> Render:
    """Render with a progress bar, and write everything about it into `folder`."""
    with Progress(settings.schedule.steps) as progress:
        render = pipeline.render(
            view.picture,
            depth=view.depth,
            path=path,
            intrinsics=jnp.asarray(view.intrinsics),
            seed=seed,
            settings=settings,
            report=progress,
        )
    fps = float(settings.conditioning.fps)
    write_warp(folder, view.picture, render.warp, fps)
    write_render(folder, render, fps)
    write_record(folder, job={**job, "settings": settings}, fit=view.fit, path=path, seconds=progress.seconds)
    return render


class Progress:
    """A bar that moves as sampling goes on, and the seconds that each stage took."""

    def __init__(self, steps: int):
        self.seconds: dict[str, float] = {}
        self._bar = tqdm(total=steps, desc="warp", unit="step")
        self._since = time.perf_counter()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """See `nvs_jax.pipeline.Report`."""
        now = time.perf_counter()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + now - self._since, 3)
        self._since = now
        self._bar.set_description(stage)
        if stage == "sample":
            self._bar.update(done - self._bar.n)


def _read(job: WarpJob, settings: RenderSettings, multiple: int) -> View:
    print(f"{job.depth} is read as {job.depth_kind}", file=sys.stderr)
    return read_view(job.photo, DepthFile(job.depth, job.depth_kind, job.png_scale), settings, multiple)
