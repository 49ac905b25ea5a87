"""What becomes of a plan: the warps of a whole video, and the video, of however many legs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from nvs_jax.geometry import Warp
from nvs_jax.steering.conditions import Conditions
from nvs_jax.steering.legs import Frames, Plan


@dataclass(frozen=True)
class Render:
    """A video of any number of legs.

    Attributes:
        frames: the video, in [0, 1]; its first frame is the given view.
        conditions: what was known of every frame; the warps of several legs are on the host.
        trust: w, how much each step trusted the warp of each frame; the mean of its cells where they have their own.
        sigmas: noise levels of the steps.
    """

    frames: Float[np.ndarray, "n H W 3"]
    conditions: Conditions
    trust: Float[np.ndarray, "steps n"]
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
    legs: list[Conditions] = []
    warped: list[Frames] = []
    for leg in plan.legs:
        legs.append(_held(plan, leg(warped)))
        warped.append(legs[-1].warped)
    return _join_conditions(plan, legs)


def join(plan: Plan, parts: Iterable[Part]) -> Render:
    """The video of a plan.

    Args:
        plan: of the video.
        parts: of every leg in turn; they are taken one by one, so that no device holds the warps of all.
    """
    renders: list[Render] = []
    for part in parts:
        render = part.render
        renders.append(replace(render, conditions=_held(plan, render.conditions)))
    first = renders[0]
    conditions = _join_conditions(plan, [render.conditions for render in renders])
    if conditions is first.conditions:
        return first
    return Render(
        frames=_pick([render.frames for render in renders], plan),
        conditions=conditions,
        trust=_pick([render.trust.T for render in renders], plan).T,
        sigmas=first.sigmas,
    )


def _held(plan: Plan, conditions: Conditions) -> Conditions:
    """A photo's stay where they are; the warps of many legs may be more than a device holds beside a model."""
    if len(plan.legs) == 1:
        return conditions
    return replace(conditions, warp=jax.tree.map(np.asarray, conditions.warp))


def _join_conditions(plan: Plan, legs: Sequence[Conditions]) -> Conditions:
    first = legs[0]
    if len(legs) == 1 and len(plan.order) == len(first.distance):
        return first
    pictures = _pick([_with_given(leg.picture, leg.warp.pictures) for leg in legs], plan)
    valid, hole = (
        _pick([_with_given(np.full(leg.picture.shape[:2], known), getattr(leg.warp, name)) for leg in legs], plan)
        for name, known in (("valid", True), ("hole", False))
    )
    distance = _pick([np.asarray(leg.distance) for leg in legs], plan)
    return Conditions(pictures[0], Warp(pictures[1:], valid[1:], hole[1:]), jnp.asarray(distance), first.mode)


def _with_given(given: object, others: object) -> np.ndarray:
    return np.concatenate([np.asarray(given)[None], np.asarray(others)])


def _pick(legs: Sequence[np.ndarray], plan: Plan) -> np.ndarray:
    return np.stack([legs[leg][frame] for leg, frame in plan.order])
