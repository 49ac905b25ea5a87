"""What is said before a render starts to sample: which settings its model ignores, how its inputs were understood, and
how many holes there will be."""

import numpy as np

from nvs_jax.inputs.understood import Ahead, Origin, holes_line, inputs_line
from nvs_jax.inputs.view import View
from nvs_jax.media import exif_focal
from nvs_jax.models.contract import VideoModel
from nvs_jax.pipeline import override
from nvs_jax.saying import say
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.benchmark import BenchmarkJob
from nvs_jax.settings.jobs import RenderJob, SingleJob, VideoJob, ViewsJob
from nvs_jax.settings.presets import BEST, own_preset
from nvs_jax.settings.render import ignored_by
from nvs_jax.settings.suited import suited
from nvs_jax.steering.legs import Plan


def say_beforehand(plan: Plan, view: View, job: RenderJob, settings: RenderSettings) -> Plan:
    """Say how the inputs were understood and how many holes there will be, in a line each.

    Returns:
        The plan; warps that had to be made to know are not made again.
    """
    origin = _origin(job, view, settings)
    say(inputs_line(view, settings, origin))
    plan, ahead = look_ahead(plan, view)
    say(holes_line(ahead, view, settings, origin))
    return plan


def say_ignored(family: str, settings: RenderSettings) -> None:
    """Say which settings were given that models of this family do not take."""
    unused = ignored_by(family, settings)
    if unused:
        verb = "is" if len(unused) == 1 else "are"
        say(f"{', '.join(unused)} {verb} ignored: these weights are of the family {family}")


def suit_model(job: RenderJob, settings: RenderSettings, model: VideoModel) -> RenderSettings:
    """The settings of a job as `as_it_suits` has them, with its own method and steps.

    Raises:
        InputError: see `as_it_suits`.
    """
    own = as_it_suits(job, model)
    return settings if own == job.settings else override(own, job.method, job.steps)


def as_it_suits(job: RenderJob | BenchmarkJob, model: VideoModel) -> RenderSettings:
    """The settings of a job, those that are at their defaults as they suit the model; says which those are.

    They stay where a preset was asked for, or the weights bring their own; what measured best is on top of either.

    Raises:
        InputError: what was asked for does not go together with what suits the model.
    """
    if job.preset not in (None, BEST) or own_preset(job.weights) is not None:
        return job.settings
    own, names = suited(job.settings, model.defaults)
    if names:
        say(f"{', '.join(names)} are as they suit the family {model.family}; --preset fast leaves that out")
    return own


def look_ahead(plan: Plan, view: View) -> tuple[Plan, Ahead]:
    """Warp the last leg, in which the camera is farthest from what is given, and count its holes."""
    last = len(plan.legs) - 1
    # Which pixels are holes is a matter of depth: any pictures will do for those not rendered yet.
    conditions = plan.legs[last]([view.picture[None]] * last)
    shares = np.asarray(conditions.warp.hole.mean((1, 2)))
    numbers = {int(frame): number for number, (leg, frame) in enumerate(plan.order) if leg == last and frame > 0}
    kept = sorted(frame for frame in numbers if frame <= len(shares))
    if last == 0:
        plan = plan._replace(legs=(lambda _: conditions,))
    return plan, Ahead(shares[[frame - 1 for frame in kept]], tuple(numbers[frame] for frame in kept))


def _origin(job: RenderJob, view: View, settings: RenderSettings) -> Origin:
    match job:
        case SingleJob():
            recorded = None if settings.camera.exif else exif_focal(job.photo)
            return Origin("single", recorded)
        case VideoJob():
            return Origin("video", fps=view.fps)
        case ViewsJob():
            return Origin("views")
        case _:
            raise TypeError(job)
