"""A long video is rendered in legs of the model's length, each beginning with a frame of an earlier one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt8

from nvs_jax.errors import InputError
from nvs_jax.geometry import Sources, between, full_turn
from nvs_jax.geometry.cameras import Matrix, zoom_intrinsics
from nvs_jax.geometry.depth_completion import complete_depth, splat_depth
from nvs_jax.geometry.full_turn import turn_order
from nvs_jax.geometry.trajectories import Poses
from nvs_jax.inputs.camera_path import focal_factors
from nvs_jax.inputs.view import View
from nvs_jax.media import as_float
from nvs_jax.settings import RenderSettings
from nvs_jax.steering.conditions import (
    Conditions,
    from_photo,
    from_pictures,
    from_video,
    from_views,
    photo_distances,
    views_intrinsics,
)

Frames = Float[np.ndarray, "f H W 3"]
Leg = Callable[[Sequence[Frames]], Conditions]
"""What steers one run of the model, given the frames of all legs before it."""


class Plan(NamedTuple):
    """How a video is put together.

    Attributes:
        legs: in the order in which they can be rendered.
        order: for every frame of the video, the leg and the frame of it; the first is the given view.
        poses: of every frame of the video.
        intrinsics: K of every frame, in pixels.
        settings: that the legs are made with, and are to be rendered with.
    """

    legs: tuple[Leg, ...]
    order: Int[np.ndarray, "n 2"]
    poses: Poses
    intrinsics: Float[Array, "n 3 3"]
    settings: RenderSettings


def photo_plan(
    view: View,
    path: Poses | Float[np.ndarray, "f 4 4"],
    settings: RenderSettings,
    elsewhere: tuple[Float[np.ndarray, "rest H W 3"], Bool[np.ndarray, "rest H W"]] | None = None,
) -> Plan:
    """A photo along a path, in one leg.

    Args:
        view: the given view.
        path: its pose, and those of the other frames.
        settings: of the render.
        elsewhere: warps and holes of every frame but the first that were made elsewhere, in place of the photo's.

    Raises:
        InputError: a dolly-zoom or a zoom of another number of frames.
    """
    intrinsics, path, zoom = jnp.asarray(view.intrinsics), jnp.asarray(path), _zoom(settings, len(path))

    def leg(_: Sequence[Frames]) -> Conditions:
        if elsewhere is not None:
            distance = photo_distances(view.depth, intrinsics, path, settings, zoom)
            return from_pictures(view.picture, *elsewhere, distance)
        return from_photo(view.picture, view.depth, intrinsics, path, settings, zoom)

    return Plan((leg,), _consecutive([len(path)]), path, _lens(intrinsics, zoom, len(path)), settings)


def video_plan(
    photos: Frames | UInt8[np.ndarray, "f H W 3"],
    depths: Float[np.ndarray, "f H W"],
    intrinsics: Matrix | Float[np.ndarray, "3 3"],
    path: Float[Array, "n 4 4"] | Float[np.ndarray, "n 4 4"],
    length: int,
    settings: RenderSettings,
) -> Plan:
    """A monocular video of any length along a path of that length, `length` frames at a time.

    Each leg begins with the last rendered frame; the last one is filled up with its last frame, so that all are one
    program, and cut again.

    Args:
        photos: in [0, 1] or as bytes, recorded by a camera that stands at the path's first pose.
        depths: of each frame.
        intrinsics: K in pixels.
        path: a pose for each frame.
        length: frames the model takes.
        settings: of the render.

    Raises:
        InputError: frames, depths and poses are not equally many, or too few.
    """
    n = len(photos)
    if not n == len(depths) == len(path):
        raise InputError(f"{n} frames, {len(depths)} depth maps, {len(path)} poses: there must be as many of each")
    if n < 2:
        raise InputError("a video needs at least 2 frames; for one there is `nvs-jax single`")

    intrinsics, path, zoom = jnp.asarray(intrinsics), jnp.asarray(path), _zoom(settings, n)

    def leg(start: int) -> Leg:
        frames = np.minimum(np.arange(start, start + length), n - 1)

        def conditions(rendered: Sequence[Frames]) -> Conditions:
            chosen = as_float(photos[frames])
            if rendered:
                chosen[0] = rendered[-1][-1]
            here = None if zoom is None else zoom[frames]
            part = chosen, depths[frames], intrinsics, path[0], path[frames], settings
            return from_video(*part, zoom=here, numbers=frames)

        return conditions

    starts = range(0, n - 1, length - 1)
    order = _consecutive([min(length, n - start) for start in starts])
    return Plan(tuple(map(leg, starts)), order, path, _lens(intrinsics, zoom, n), settings)


def views_plan(sources: Sources, length: int, settings: RenderSettings) -> Plan:
    """From the first view through all others to the last, `length` frames from each to the next, both included.

    Raises:
        InputError: fewer than two views.
    """
    pairs = len(sources.poses) - 1
    if pairs < 1:
        raise InputError("two views at least are needed; for one there is `nvs-jax single`")
    sources = Sources(*map(jnp.asarray, sources))
    straight = settings.views.straight
    paths = [between(sources.poses[i], sources.poses[i + 1], length, straight) for i in range(pairs)]
    lenses = [views_intrinsics(sources, length, settings, (i, i + 1)) for i in range(pairs)]

    def leg(index: int) -> Leg:
        return lambda _: from_views(sources, paths[index], settings, (index, index + 1))

    order = _consecutive([length] * pairs)
    return Plan(tuple(map(leg, range(pairs))), order, _in_order(paths, order), _in_order(lenses, order), settings)


def turn_plan(view: View, radius: tuple[float, float], length: int, settings: RenderSettings) -> Plan:
    """Once round the origin from a single photo, in the legs of `full_turn`.

    A leg that begins with a rendered frame needs its depth: the photo's is carried there and completed.

    Raises:
        InputError: distances of pixels, which the last leg, between two views, does not take.
    """
    if settings.trust.distance == "pixels":
        raise InputError("--trust.distance pixels does not take a full turn, whose end lies between views: use centre")
    arcs, intrinsics = full_turn(*radius, length), jnp.asarray(view.intrinsics)
    depths: list[Float[np.ndarray, "H W"]] = []
    for arc in arcs:
        depth = view.depth if arc.start_leg is None else depths[arc.start_leg]
        carried, valid = splat_depth(jnp.asarray(depth), intrinsics, arc.poses[0], arc.poses[-1], settings.warp)
        depths.append(np.asarray(complete_depth(carried, valid)))

    def end_of(rendered: Sequence[Frames], leg: int | None) -> tuple[np.ndarray, np.ndarray]:
        return (view.picture, view.depth) if leg is None else (rendered[leg][-1], depths[leg])

    def leg(index: int) -> Leg:
        arc = arcs[index]

        def conditions(rendered: Sequence[Frames]) -> Conditions:
            start = end_of(rendered, arc.start_leg)
            if arc.kind == "single":
                return from_photo(*start, intrinsics, arc.poses, settings)
            ends = start, end_of(rendered, arc.end_leg)
            pictures, maps = (jnp.stack([jnp.asarray(end[i]) for end in ends]) for i in (0, 1))
            sources = Sources(pictures, maps, jnp.stack([intrinsics] * 2), arc.poses[jnp.array([0, -1])])
            return from_views(sources, arc.poses, settings)

        return conditions

    order = np.asarray(turn_order(arcs))
    poses = _in_order([arc.poses for arc in arcs], order)
    return Plan(tuple(map(leg, range(len(arcs)))), order, poses, _lens(intrinsics, None, len(order)), settings)


def _consecutive(lengths: Sequence[int]) -> Int[np.ndarray, "n 2"]:
    """Legs one after the other, each but the first without its first frame, which is the last of the one before."""
    frames = [(leg, frame) for leg, length in enumerate(lengths) for frame in range(leg > 0, length)]
    return np.array(frames)


def _in_order(legs: Sequence[Float[Array, "f *matrix"]], order: Int[np.ndarray, "n 2"]) -> Float[Array, "n *matrix"]:
    return jnp.stack(legs)[order[:, 0], order[:, 1]]


def _zoom(settings: RenderSettings, frames: int) -> Float[Array, "f"] | None:
    """By what a path multiplies the focal length in each frame; None: it stays.

    Raises:
        InputError: the settings' path has another number of frames.
    """
    path = settings.path
    if path.kind != "dolly-zoom" and path.zoom == 1:
        return None
    if path.frames not in (None, frames):
        kind = "dolly-zoom" if path.kind == "dolly-zoom" else "zoom"
        raise InputError(f"path.frames is {path.frames} and the path has {frames} poses: give a {kind} as many")
    return focal_factors(path, frames)


def _lens(intrinsics: Matrix, zoom: Float[Array, "f"] | None, frames: int) -> Float[Array, "f 3 3"]:
    return zoom_intrinsics(intrinsics, jnp.ones(frames) if zoom is None else zoom)


def leg_key(seed: int, leg: int) -> PRNGKeyArray:
    """The randomness of a leg of a video: no leg shares its noise with one of another seed.

    Leg 0 has the seed's own key. The others' are folded in twice: what `Pipeline.prepare` derives from a key are its
    children 0, 1 and 2, so theirs are children of the child 3.
    """
    key = jax.random.key(seed)
    return key if leg == 0 else jax.random.fold_in(jax.random.fold_in(key, 3), leg)
