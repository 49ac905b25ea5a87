"""All the way round: the authors' recipe for 360 degrees, as data for whoever renders the legs one after another."""

from dataclasses import dataclass
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, ScalarLike

from nvs_jax.errors import InputError
from nvs_jax.geometry.trajectories import Poses, ellipse_at


@dataclass(frozen=True, eq=False)
class Arc:
    """One video of a full turn.

    Attributes:
        start_angle: of the first frame, degrees round from the given view.
        end_angle: of the last frame.
        kind: "single" is rendered from the view at its start; "closing" from those at its start and at its end.
        poses: of all frames, the first and the last included.
        start_leg: the earlier leg whose last frame is this one's first; None: the given view.
        end_leg: of a closing leg, the earlier leg whose last frame is this one's last.
    """

    start_angle: float
    end_angle: float
    kind: Literal["single", "closing"]
    poses: Poses
    start_leg: int | None
    end_leg: int | None = None


def full_turn(
    radius_x: ScalarLike, radius_z: ScalarLike, frames: int, stops: tuple[float, ...] = (30.0, 60.0, 120.0)
) -> tuple[Arc, ...]:
    """An orbit of 360 degrees in legs that a video model can take, in an order in which they can be rendered.

    As the authors advise: from the given view to 30 degrees, from there to 60 and to 120, to either side alike; what
    remains is closed between the two last views.

    Args:
        radius_x: half axis of the orbit along x, in scene units.
        radius_z: half axis along z.
        frames: poses a leg, those at its ends included.
        stops: where legs end, in degrees, increasing.

    Raises:
        InputError: fewer than 2 frames a leg, or stops that do not increase within (0, 180).

    >>> [(leg.start_angle, leg.end_angle, leg.start_leg, leg.end_leg) for leg in full_turn(60, 70, 25, (90.0,))]
    [(0.0, 90.0, None, None), (-0.0, -90.0, None, None), (90.0, 270.0, 0, 1)]
    """
    if frames < 2:
        raise InputError(f"a leg of a turn needs at least 2 frames, not {frames}")
    if not stops or any(low >= high for low, high in zip((0.0, *stops), (*stops, 180.0), strict=True)):
        raise InputError(f"the stops of a full turn must increase within 0 and 180 degrees, not {stops}")

    def poses(start: float, end: float) -> Poses:
        return ellipse_at(radius_x, radius_z, jnp.linspace(start, end, frames))

    legs: list[Arc] = []
    for side in (1.0, -1.0):
        previous = None
        for start, end in zip((0.0, *stops[:-1]), stops, strict=True):
            start, end = side * start, side * end
            legs.append(Arc(start, end, "single", poses(start, end), start_leg=previous))
            previous = len(legs) - 1
    start, end = stops[-1], 360 - stops[-1]
    closing = Arc(start, end, "closing", poses(start, end), start_leg=len(stops) - 1, end_leg=2 * len(stops) - 1)
    return (*legs, closing)


def turn_order(legs: tuple[Arc, ...]) -> Int[np.ndarray, "n 2"]:
    """The (leg, frame) pairs that make one video once round, from the given view by growing angle, none twice."""
    places = {}
    for number, leg in enumerate(legs):
        angles = np.linspace(leg.start_angle, leg.end_angle, len(leg.poses))
        for frame, angle in enumerate(angles):
            places.setdefault(round(angle % 360, 6) % 360, (number, frame))
    return np.array([places[angle] for angle in sorted(places)])
