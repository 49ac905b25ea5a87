"""What the camera of a path would see: warps at a reduced size, holes marked, and how many there are."""

from dataclasses import replace
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, UInt8

from nvs_jax.geometry import forward_warp
from nvs_jax.media import as_float, to_bytes
from nvs_jax.settings import RenderSettings
from nvs_jax.steering import Conditions, turn_plan, views_plan, warp_plan
from nvs_jax.studio.scene import Scene, live_warp

HOLE = (0.82, 0.13, 0.45)
"""The colour of what is not known: one that photos hardly have."""
INVENTED = 0.5
"""With more holes than this share of its pixels, most of a frame is the model's."""
TOGETHER = 8
"""Frames to a program, whatever the length of the path."""


class Track(NamedTuple):
    """Where the camera goes.

    Attributes:
        poses: world-to-camera, of every frame.
        intrinsics: K of every frame, in pixels of the reduced pictures.
    """

    poses: Float[np.ndarray, "f 4 4"]
    intrinsics: Float[np.ndarray, "f 3 3"]


class Shown(NamedTuple):
    """Frames of a path as they are looked at.

    Attributes:
        pictures: warps, holes in a colour of their own.
        shares: of each frame's pixels, how many are holes.
    """

    pictures: UInt8[np.ndarray, "f h w 3"]
    shares: Float[np.ndarray, "f"]


def warp_frames(scene: Scene, track: Track, settings: RenderSettings, numbers: list[int]) -> Shown:
    """The photo, or of a video the frame recorded at that moment, seen from some frames of a path.

    One frame and more than one are two programs, whatever their number and the length of the path.

    Args:
        scene: a photo or a video.
        track: of the camera.
        settings: warp is used.
        numbers: which frames.
    """
    chosen = np.asarray(numbers)
    length = 1 if len(chosen) == 1 else TOGETHER
    filled = np.concatenate([chosen, np.full(-len(chosen) % length, chosen[-1])])
    parts = [_warp(scene, track, settings, filled[at : at + length]) for at in range(0, len(filled), length)]
    pictures, holes = (np.concatenate(kind)[: len(chosen)] for kind in zip(*parts, strict=True))
    # The first frame is the given one.
    first = chosen == 0
    pictures[first], holes[first] = scene.view.picture, False
    return shown(pictures, holes)


def warp_whole(scene: Scene, settings: RenderSettings) -> tuple[Track, Conditions]:
    """The path and the warps of a video that is no photo along a path: between posed views, or a full turn.

    Raises:
        InputError: inputs that do not fit together.
    """
    frames = settings.path.frames or scene.lattice.frames
    settings = replace(settings, warp=live_warp(settings.warp, scene.shrink))
    if scene.sources is not None:
        plan = views_plan(scene.sources, frames, settings)
    else:
        plan = turn_plan(scene.view, settings.path.radius, frames, settings)
    return Track(np.asarray(plan.poses), np.asarray(plan.intrinsics)), warp_plan(plan)


def shown(pictures: Float[np.ndarray, "f h w 3"], holes: Bool[np.ndarray, "f h w"]) -> Shown:
    """Pictures with their holes in colour."""
    return Shown(to_bytes(np.where(holes[..., None], np.array(HOLE, np.float32), pictures)), holes.mean((1, 2)))


def mostly_invented(shares: Float[np.ndarray, "f"]) -> tuple[int, ...]:
    """Frames of which the model makes more than half.

    >>> mostly_invented(np.array([0.0, 0.4, 0.6, 0.51]))
    (2, 3)
    """
    return tuple(int(number) for number in np.flatnonzero(shares > INVENTED))


def spans(numbers: tuple[int, ...]) -> str:
    """Numbers in a few words.

    >>> spans((2, 3, 4, 7, 9, 10))
    '2-4, 7, 9-10'
    """
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    return ", ".join(f"{start}-{end}" if end > start else str(start) for start, end in zip(starts, ends, strict=True))


def _warp(scene: Scene, track: Track, settings: RenderSettings, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if scene.clip is None:
        picture, depth = jnp.asarray(scene.view.picture), jnp.asarray(scene.view.depth)
    else:
        of_clip = np.minimum(numbers, len(scene.clip[0]) - 1)
        picture, depth = jnp.asarray(as_float(scene.clip[0][of_clip])), jnp.asarray(scene.clip[1][of_clip])
    poses, lenses = jnp.asarray(track.poses, jnp.float32), jnp.asarray(track.intrinsics, jnp.float32)
    lens = jnp.asarray(scene.view.intrinsics, jnp.float32)
    warped = forward_warp(
        picture, depth, lens, poses[0], poses[numbers], live_warp(settings.warp, scene.shrink), lenses[numbers]
    )
    return np.array(warped.pictures), np.array(warped.hole)
