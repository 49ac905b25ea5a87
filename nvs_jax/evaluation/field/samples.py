"""A sample of a benchmark of the field: its given views warped to its targets, and the videos that are compared.

The video goes from a given view through the targets in their order, as many frames as the model takes; frames between
two targets are made and not scored. More targets than that take several videos, each from the given view on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from nvs_jax.errors import InputError
from nvs_jax.evaluation.fill import fill_nearest
from nvs_jax.evaluation.problems import through_codec
from nvs_jax.evaluation.scores import Frames
from nvs_jax.evaluation.trajectories import Poses, centres
from nvs_jax.geometry import Sources, Warp, forward_warp, through
from nvs_jax.geometry.fusion import pose_distance_to_nearest, warp_nearest
from nvs_jax.inputs.posed_depth import NamedDepth
from nvs_jax.inputs.posed_views import is_unscaled, sources_of
from nvs_jax.inputs.view import DepthSource
from nvs_jax.media import fit
from nvs_jax.media.cameras import PosedCamera, read_picture
from nvs_jax.media.cameras.views import from_corner
from nvs_jax.media.splits import Sample, distance_in_front
from nvs_jax.pipeline import Pipeline, override
from nvs_jax.settings import RenderSettings
from nvs_jax.steering.conditions import Conditions

VARIANTS = ("guided", "filled warp", "model alone", "truth through the VAE")
"""What is compared, in the order of the table; the last one needs a truth."""


def variants_of(truth: bool) -> tuple[str, ...]:
    """What can be compared with a truth, or without one."""
    return VARIANTS if truth else VARIANTS[:-1]


class Task(NamedTuple):
    """One video of a sample.

    Attributes:
        conditions: what steers it.
        scored: which of its frames are looked at: the targets or, where there is no truth, all but the first.
        truth: of those, in [0, 1]; None: nobody knows it.
        holes: of those, what no given view shows.
        poses: of those, world-to-camera, as asked.
        intrinsics: of those, K, of pixel centres.
        real: pictures that were taken, in [0, 1], at the video's size: the truth, or else what is given.
    """

    conditions: Conditions
    scored: Int[np.ndarray, "k"]
    truth: Frames | None
    holes: Bool[np.ndarray, "k h w"]
    poses: Poses
    intrinsics: Float[np.ndarray, "k 3 3"]
    real: Frames


def tasks_of(
    sample: Sample,
    depth: DepthSource | NamedDepth,
    settings: RenderSettings,
    lattice: tuple[int, int],
    distance: float | None = None,
) -> Iterator[Task]:
    """The videos of a sample.

    Args:
        sample: its pictures are read here.
        depth: of the given views.
        settings: picture, camera and warp are used.
        lattice: pixels that sizes are multiples of, and frames of a video.
        distance: of what is in the middle of the given picture, for an estimate or disparity in a scene without points;
            None: see `nvs_jax.media.splits.distance_in_front`.

    Raises:
        InputError: pictures or cameras that cannot be used; a distance that nothing says.
    """
    multiple, frames = lattice
    unscaled = is_unscaled(depth, settings)
    fitted = unscaled and sample.given.observations is not None
    if unscaled and not fitted:
        settings = _at_distance(sample, settings, distance)
    sources, view = sources_of(sample.given, depth, settings, multiple, fitted=fitted)
    height, width = view.depth.shape
    cameras = sample.targets.cameras
    for first in first_targets(len(cameras), frames):
        chosen = cameras[first : first + frames - 1]
        seen = [_fitted(camera, height, width, settings) for camera in chosen]
        yield _task(sources, _nearest(sources, chosen[0]), chosen, seen, frames, settings)


def first_targets(targets: int, frames: int) -> range:
    """With which of the targets each video begins.

    >>> list(first_targets(7, 4))
    [0, 3, 6]
    """
    return range(0, targets, frames - 1)


def frames_of(pipeline: Pipeline, task: Task, variant: str, settings: RenderSettings, seed: int) -> Frames:
    """The targets as a variant makes them, in [0, 1].

    Raises:
        InputError: a size that the model does not take; the truth, where nobody knows it.
    """
    conditions, scored = task.conditions, task.scored
    if variant in ("guided", "model alone"):
        settings = settings if variant == "guided" else override(settings, "none")
        return pipeline.render_conditions(conditions, seed, settings).frames[scored]
    pictures = np.array(conditions.warped)
    if variant == "filled warp":
        warp = conditions.warp
        pictures[1:] = fill_nearest(np.asarray(warp.pictures), np.asarray(warp.valid))
    elif task.truth is None:
        raise InputError("what has no true pictures cannot be compared with them")
    else:
        pictures[scored] = task.truth
    return np.asarray(through_codec(pipeline.model.codec(), jnp.asarray(pictures)))[scored]


def knots(targets: int, frames: int) -> tuple[int, ...]:
    """Steps from the given view to the first target, from that to the next and so on; the last one fills the video.

    >>> knots(3, 8), knots(7, 8)
    ((2, 3, 2), (1, 1, 1, 1, 1, 1, 1))
    """
    at = np.linspace(0, frames - 1, targets + 1).round().astype(int)
    return tuple(int(step) for step in np.diff(at))


def _at_distance(sample: Sample, settings: RenderSettings, distance: float | None) -> RenderSettings:
    given = sample.given.cameras[0]
    if distance is None:
        distance = distance_in_front((*sample.given.cameras, *sample.targets.cameras), given)
    if distance is None:
        raise InputError(
            f"{sample.scene}: its cameras look at no common point and it has no points, so the scale of its depth is "
            "not known: give --distance, that of what is in the middle of the given picture, or depth maps"
        )
    return replace(settings, path=replace(settings.path, kind="orbit", file=None, radius=(distance, distance)))


def _fitted(camera: PosedCamera, height: int, width: int, settings: RenderSettings) -> tuple[np.ndarray, np.ndarray]:
    """A target's picture, and its K, at the size of the video."""
    picture = read_picture(camera, whole=settings.picture.fit == "resize")
    rows, columns = picture.shape[:2]
    fitted, plan = fit(picture, height, width, settings.picture.fit)
    if settings.picture.fit == "resize":
        return fitted, camera.resized(height, width)
    return fitted, from_corner(plan.intrinsics(camera.resized(rows, columns)))


def _nearest(sources: Sources, target: PosedCamera) -> int:
    """The given view that stands nearest to a target: the video begins with it."""
    away = centres(np.asarray(sources.poses, np.float64)) - target.centre
    return int(np.linalg.norm(away, axis=-1).argmin())


def _task(
    sources: Sources,
    start: int,
    chosen: Sequence[PosedCamera],
    seen: Sequence[tuple[np.ndarray, np.ndarray]],
    frames: int,
    settings: RenderSettings,
) -> Task:
    first = Sources(*(array[start] for array in sources))
    steps = knots(len(chosen), frames)
    at = np.cumsum((0, *steps))
    poses = jnp.concatenate([first.poses[None], jnp.asarray([camera.pose for camera in chosen], jnp.float32)])
    path = through(poses, steps)
    lenses = np.concatenate([np.asarray(first.intrinsics)[None], [K for _, K in seen]]).reshape(len(at), 9)
    between = np.stack([np.interp(np.arange(frames), at, column) for column in lenses.T], -1).reshape(frames, 3, 3)
    lens = jnp.asarray(between, jnp.float32)
    warp = _warp(sources, path, lens, settings)
    distance = pose_distance_to_nearest(sources.poses, path).at[0].set(0.0)
    conditions = Conditions(first.pictures, warp, distance, "single" if len(sources.poses) == 1 else "views")
    truth = np.stack([picture for picture, _ in seen])
    return Task(
        conditions,
        scored=at[1:],
        truth=truth,
        holes=conditions.holes[at[1:]],
        poses=np.stack([camera.pose for camera in chosen]),
        intrinsics=np.stack([K for _, K in seen]),
        real=truth,
    )


def _warp(sources: Sources, path: jnp.ndarray, lens: jnp.ndarray, settings: RenderSettings) -> Warp:
    if len(sources.poses) == 1:
        view = Sources(*(array[0] for array in sources))
        given = view.pictures, view.depths, view.intrinsics, view.poses
        return forward_warp(*given, path[1:], settings.warp, target_intrinsics=lens[1:])
    count = min(settings.views.count, len(sources.poses))
    return warp_nearest(sources, path[1:], lens[1:], count, settings.warp)
