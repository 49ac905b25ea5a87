"""What becomes of a plan: the warps of a whole video, and the video, of however many legs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from nvs_jax.geometry import Warp
from nvs_jax.settings import Mode
from nvs_jax.steering.conditions import Conditions
from nvs_jax.steering.legs import Frames, Plan


@dataclass(frozen=True)
class Render:
    """A video of any number of legs.

    Attributes:
        frames: the video, in [0, 1]; its first frame is the given view.
        conditions: what was known of every frame; on the device.
        trust: w, how much each step trusted the warp of each frame; the mean of its cells where they have their own.
            Of one leg it is that of each frame's latent, of which a model may have fewer.
        sigmas: noise levels of the steps.
    """

    frames: Float[np.ndarray, "n H W 3"]
    conditions: Conditions
    trust: Float[np.ndarray, "steps latents"]
    sigmas: Float[np.ndarray, "steps"]

    @property
    def warped(self) -> Float[np.ndarray, "n H W 3"]:
        """The given view, and what was known of every other frame, holes black."""
        return self.conditions.warped

    @property
    def holes(self) -> Bool[np.ndarray, "n H W"]:
        """What was not known."""
        return self.conditions.holes


class Part(NamedTuple):
    """What one leg brings to a video.

    Attributes:
        numbers: which frames of the video it brings.
        frames: those, in [0, 1].
        render: the whole leg; also what the video has from another one.
    """

    numbers: Int[np.ndarray, "k"]
    frames: Float[np.ndarray, "k H W 3"]
    render: Render


def part_of(plan: Plan, leg: int, render: Render) -> Part:
    """What a leg, counted from 0, brings to the video of a plan."""
    numbers = np.flatnonzero(plan.order[:, 0] == leg)
    return Part(numbers, render.frames[plan.order[numbers, 1]], render)


def warp_plan(plan: Plan) -> Conditions:
    """The warps of a whole video without a model, to look at before it is rendered.

    A leg that begins with a frame rendered before begins with its warp, so what was a hole there stays black.

    Raises:
        InputError: inputs that do not fit together.
    """
    warped: list[Frames] = []
    known: list[_Known] = []
    for leg in plan.legs:
        conditions = leg(warped)
        if _is_all(conditions, plan):
            return conditions
        warped.append(conditions.warped)
        known.append(_on_host(conditions))
    return _join_conditions(known, plan)


def join(plan: Plan, parts: Iterable[Part]) -> Render:
    """The video of a plan.

    Args:
        plan: of the video.
        parts: of every leg in turn; they are taken one by one, so that no device holds the warps of all meanwhile.
    """
    frames: list[Frames] = []
    trust: list[Float[np.ndarray, "f steps"]] = []
    known: list[_Known] = []
    sigmas = np.zeros(0, np.float32)
    for _, _, leg in parts:
        if _is_all(leg.conditions, plan):
            return leg
        frames.append(leg.frames)
        trust.append(_of_frames(leg.trust, len(leg.frames)))
        known.append(_on_host(leg.conditions))
        sigmas = leg.sigmas
    return Render(_pick(frames, plan), _join_conditions(known, plan), _pick(trust, plan).T, sigmas)


class _Known(NamedTuple):
    """Conditions of a leg on the host, those of the given view included."""

    pictures: Float[np.ndarray, "f H W 3"]
    valid: Bool[np.ndarray, "f H W"]
    hole: Bool[np.ndarray, "f H W"]
    distance: Float[np.ndarray, "f *pixels"]
    mode: Mode


def _on_host(conditions: Conditions) -> _Known:
    pictures, valid = np.asarray(conditions.warp.pictures), np.asarray(conditions.warp.valid)
    return _Known(
        pictures=np.concatenate([np.asarray(conditions.picture)[None], pictures]),
        valid=np.concatenate([np.ones_like(valid[:1]), valid]),
        hole=conditions.holes,
        distance=np.asarray(conditions.distance),
        mode=conditions.mode,
    )


def _of_frames(trust: Float[np.ndarray, "steps latents"], frames: int) -> Float[np.ndarray, "f steps"]:
    """Of every frame that of its latent: a latent may stand for several frames, the first only for its own."""
    latents = -(-np.arange(frames) * (trust.shape[1] - 1) // (frames - 1))
    return trust.T[latents]


def _is_all(conditions: Conditions, plan: Plan) -> bool:
    """Whether a leg is the whole video, all its frames in turn."""
    return len(plan.legs) == 1 and len(plan.order) == len(conditions.distance)


def _join_conditions(legs: Sequence[_Known], plan: Plan) -> Conditions:
    pictures = _pick([leg.pictures for leg in legs], plan)
    valid, hole = _pick([leg.valid for leg in legs], plan), _pick([leg.hole for leg in legs], plan)
    distance = _pick([leg.distance for leg in legs], plan)
    warp = Warp(jnp.asarray(pictures[1:]), jnp.asarray(valid[1:]), jnp.asarray(hole[1:]))
    return Conditions(pictures[0], warp, jnp.asarray(distance), legs[0].mode)


def _pick(legs: Sequence[np.ndarray], plan: Plan) -> np.ndarray:
    return np.stack([legs[leg][frame] for leg, frame in plan.order])
