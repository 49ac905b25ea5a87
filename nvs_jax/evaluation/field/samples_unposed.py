"""Photos and videos without cameras or truth, along the paths of the paper's protocol.

A photo is orbited to both sides; the frames of a video are warped to an orbit, a pose each. The release's orbits have
half axes of 60 and 70 for a photo, 15 and 30 for a video, and go a degree a frame, 25 frames.
"""

from collections.abc import Iterator
from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.evaluation.field.samples import Task
from nvs_jax.inputs.camera_path import camera_path
from nvs_jax.inputs.video import read_video
from nvs_jax.inputs.view import DepthSource, read_view
from nvs_jax.media import as_float
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.settings import PathSettings, RenderSettings
from nvs_jax.steering.legs import Plan, photo_plan, video_plan

RELEASE_VIDEO = (15.0, 30.0)
"""Half axes of the orbit that the release leads a video along."""


def tasks_of_unposed(
    given: Unposed, depth: DepthSource, settings: RenderSettings, lattice: tuple[int, int]
) -> Iterator[Task]:
    """The videos of a photo, one for each side, or of a video, the first so many of its frames.

    Args:
        given: its pictures are read here.
        depth: its maps, or what estimates them.
        settings: picture, camera, path and warp are used; a path that goes round goes to both sides of a photo.
        lattice: pixels that sizes are multiples of, and frames of a video.

    Raises:
        InputError: pictures or depth that cannot be used; a video that is too short.
    """
    multiple, frames = lattice
    if given.is_video:
        yield _video(given, depth, with_video_path(settings), multiple, frames)
        return
    view = read_view(given.pictures, depth, settings, multiple)
    for path in both_sides(settings.path):
        towards = replace(settings, path=path)
        plan = photo_plan(view, camera_path(path, frames), towards)
        yield _task(plan, view.picture[None])


def with_video_path(settings: RenderSettings) -> RenderSettings:
    """Settings whose path is the release's of videos, where nobody says another."""
    if settings.path != replace(PathSettings(), frames=settings.path.frames):
        return settings
    return replace(settings, path=replace(settings.path, radius=RELEASE_VIDEO))


def both_sides(path: PathSettings) -> tuple[PathSettings, ...]:
    """The paths of a photo, a video each."""
    if path.kind not in ("orbit", "ellipse"):
        return (path,)
    return tuple(replace(path, inverse=inverse) for inverse in (path.inverse, not path.inverse))


def _video(given: Unposed, depth: DepthSource, settings: RenderSettings, multiple: int, frames: int) -> Task:
    settings = replace(settings, path=replace(settings.path, frames=frames))
    photos, depths, view = read_video(given.pictures, depth, settings, multiple)
    if len(photos) < frames:
        raise InputError(
            f"{given.pictures} has {len(photos)} frames, and videos of {frames} are compared: leave it out, or set "
            f"--path.frames {len(photos)}"
        )
    path = camera_path(settings.path, frames)
    plan = video_plan(photos, depths, jnp.asarray(view.intrinsics), path, frames, settings)
    return _task(plan, as_float(photos))


def _task(plan: Plan, real: np.ndarray) -> Task:
    """Of a plan of one leg."""
    conditions = plan.legs[0]([])
    return Task(
        conditions,
        scored=np.arange(1, len(plan.poses)),
        truth=None,
        holes=conditions.holes[1:],
        poses=np.asarray(plan.poses[1:], np.float64),
        intrinsics=np.asarray(plan.intrinsics[1:]),
        real=real,
    )
