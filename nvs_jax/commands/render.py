"""A render as the command does it: files in, a folder of results out."""

import shutil
from contextlib import redirect_stdout
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax
import jax.numpy as jnp

from nvs_jax.commands.back_end import require_back_end
from nvs_jax.commands.beforehand import say_beforehand, say_ignored, suit_model
from nvs_jax.commands.loaded import FRESH, Loader, default_dtype, load_for
from nvs_jax.commands.progress import Progress
from nvs_jax.diffusion.assemble import check_parts, count_steps
from nvs_jax.disk import job_at_hand
from nvs_jax.errors import InputError
from nvs_jax.inputs.bare_photos import ignored_with, with_poses
from nvs_jax.inputs.camera_path import camera_path
from nvs_jax.inputs.depth import depth_of_views, depth_source
from nvs_jax.inputs.posed_views import read_sources
from nvs_jax.inputs.video import read_conditions, read_video
from nvs_jax.inputs.view import View, read_view
from nvs_jax.media import check_encoder
from nvs_jax.models.attention import used_backends
from nvs_jax.models.families import family
from nvs_jax.pipeline import Pipeline, override
from nvs_jax.runs.identity import identity, input_paths, short
from nvs_jax.runs.presence import Presence
from nvs_jax.runs.processes import StopTogether, first_says, in_company, join_cluster, wait_for_all
from nvs_jax.runs.results import write_record, write_result
from nvs_jax.runs.resume import is_complete, open_run, tidy
from nvs_jax.runs.stopping import StopRequest, stop_on_signals
from nvs_jax.runs.watched import WatchedLegs, writer
from nvs_jax.saying import at_job, log_event, say, tell
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.combinations import check_combinations
from nvs_jax.settings.jobs import DemoJob, RenderJob, SingleJob, VideoJob, ViewsJob
from nvs_jax.steering.legs import Plan, photo_plan, turn_plan, video_plan, views_plan
from nvs_jax.steering.render import warp_plan


def run_here_or_on_hosts(job: RenderJob) -> None:
    """Render with the devices of this process, or of several that meet.

    Raises:
        InputError: a mistake of the user's.
        Stopped: it was asked for; the job goes on with `resume`.
    """
    if not job.mesh.hosts:
        with stop_on_signals() as stop, at_job(job.out.name):
            run_render(job, stop)
        return
    cluster = join_cluster()
    with stop_on_signals() as stop, in_company(cluster, stop) as presence, at_job(job.out.name):
        require_back_end()
        run_on_hosts(job, stop, presence)


def _frames(job: RenderJob) -> int | None:
    """Of each video that the model makes, where the job says so: recorded ones of any length are cut to suit it."""
    return None if isinstance(job, VideoJob) else job.settings.path.frames


def run_render(job: RenderJob, stop: StopRequest, loader: Loader = FRESH) -> bool:
    """Render, or preview, whatever kind of input the job has.

    Args:
        job: what to render.
        stop: asked between segments of the sampling.
        loader: gives the job's model.

    Returns:
        Whether there was anything to do: with `resume`, a complete result of the same job is left as it is.

    Raises:
        InputError: a mistake of the user's.
        Stopped: it was asked for; the job goes on with `resume`.
    """
    with job_at_hand(job) as near:
        return _render(near, stop, loader)


def _render(job: RenderJob, stop: StopRequest, loader: Loader) -> bool:
    job = replace(job, dtype=job.dtype or default_dtype())
    settings = override(job.settings, job.method, job.steps)
    if job.weights is None and not job.preview:
        raise InputError("give --weights, or look at the warps alone with --preview")
    check_combinations(job, settings)
    check_parts(settings)
    unused = ignored_with(job, settings)
    if unused:
        say(f"the path is from view to view, and each has a camera of its own: without effect {', '.join(unused)}")
    if not job.preview:
        check_encoder()
    known = identity(job, settings)
    shown = job.out / ("warps.gif" if job.preview else "video.mp4")
    if job.resume:
        tidy(job.out)
    if job.resume and is_complete(job.out, known):
        tell(f"{shown} is complete already")
        log_event("complete", result=str(job.out), before=True)
        return False
    inputs = input_paths(job, settings)
    with open_run(job.out, known, resume=job.resume, overwrite=job.overwrite, stop=stop, inputs=inputs) as run:
        model = None if job.preview else loader.describe(job)
        if model is not None:  # what it cannot do is said before inputs are read, and these are before its weights
            say_ignored(model.family, settings)
            settings = suit_model(job, settings, model)
            model.told(settings)
            frames = _frames(job)
            if frames is not None:
                model.lattice.check_frames(frames)
        lattice = family().lattice if model is None else model.lattice
        posed = with_poses(job, run.scene)
        plan, view = make_plan(posed, settings, lattice.pixels, lattice.frames, own_units=posed is job)
        plan = say_beforehand(plan, view, job, settings)
        pipeline = None if model is None else loader.load(job)
        with Progress(len(plan.legs), count_steps(settings), job.profile) as progress:
            if pipeline is None:
                result = warp_plan(plan)
            else:
                seen = run if job.watch is None else WatchedLegs(run, writer(job.watch, pipeline.model.told(settings)))
                result = pipeline.render_plan(plan, job.seed, report=progress, run=seen)
        write_result(run.result, result, plan, view)
        if posed is not job:
            shutil.copytree(run.scene, run.result / "scene")
        computed = {} if pipeline is None else {"attention": used_backends()}
        record(run.result, job, settings, view, seconds=progress.seconds, **computed, identity=short(run.identity))
    tell(str(shown))
    log_event("complete", result=str(job.out), before=False, seconds=progress.seconds)
    return True


def run_on_hosts(job: RenderJob, stop: StopRequest, presence: Presence) -> None:
    """The same with the devices of several processes that have met, and all do this; the first one's result is kept.

    Args:
        job: what to render.
        stop: this process's request to stop.
        presence: looks after the others meanwhile.

    Raises:
        InputError: a mistake of the user's.
        Stopped: it was asked for, in any of them.
    """
    together = StopTogether(stop)

    def load_together(job: RenderJob) -> Pipeline:
        pipeline = load_for(job)
        wait_for_all("weights")  # a disk may keep one of them waiting longer than the devices' own patience lasts
        return pipeline

    loader = Loader(load=load_together)
    with job_at_hand(job) as near:
        settings = override(near.settings, near.method, near.steps)
        known = identity(replace(near, dtype=near.dtype or default_dtype()), settings)
    complete = first_says(job.resume and is_complete(job.out, known))
    if jax.process_index() == 0:
        run_render(job, together, loader)
    elif not complete:
        with TemporaryDirectory() as folder, redirect_stdout(None):
            presence.tidy.append(partial(shutil.rmtree, folder, ignore_errors=True))
            run_render(replace(job, out=Path(folder) / "result", resume=False, watch=None), together, loader)


def make_plan(
    job: RenderJob, settings: RenderSettings, multiple: int, frames: int, *, own_units: bool = True
) -> tuple[Plan, View]:
    """Read a job's inputs and lay out its legs; also its first given view. `own_units`: see `read_sources`.

    Raises:
        InputError: inputs that cannot be read or do not fit together.
    """
    match job:
        case SingleJob():
            view = read_view(job.photo, depth_source(job.depth, job), settings, multiple)
            if settings.path.kind == "full-turn":
                return turn_plan(view, settings.path.radius, settings.path.frames or frames, settings), view
            path = camera_path(settings.path, frames)
            elsewhere = None if job.conditions is None else read_conditions(job.conditions, view, len(path))
            return photo_plan(view, path, settings, elsewhere), view
        case VideoJob():
            photos, depths, view = read_video(job.frames, depth_source(job.depth, job), settings, multiple)
            path = camera_path(settings.path, len(photos))
            return video_plan(photos, depths, jnp.asarray(view.intrinsics), path, frames, settings), view
        case ViewsJob():
            depth = depth_of_views(job)
            sources, view = read_sources(job.scene, job.cameras, depth, settings, multiple, own_units=own_units)
            return views_plan(sources, settings.path.frames or frames, settings), view
        case _:
            raise TypeError(job)


def record(folder: Path, job: RenderJob | DemoJob, settings: RenderSettings, view: View, **computed: Any) -> None:
    """Write run.json: the job, what was known of its view, and what else there is to say."""
    known = {"depth_kind": view.depth_kind, "fps": view.fps}
    known = {name: value for name, value in known.items() if value is not None}
    write_record(folder, job=asdict(job) | {"settings": settings}, fit=view.fit, **known, **computed)
