"""Moving pictures one at a time, whatever they are stored in."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from nvs_jax.media.photo import Picture


class Shot(NamedTuple):
    """One frame.

    Attributes:
        picture: [H, W, 3] in sRGB, upright, on white: float32 in [0, 1], or bytes where the file holds no more.
        seconds: when it is shown; None where nothing says.
    """

    picture: Picture | UInt8[np.ndarray, "_ _ 3"]
    seconds: float | None = None


class Clip(NamedTuple):
    """A video that is being read; its frames can be had once, in order, each only as it is asked for.

    Attributes:
        size: rows and columns of every frame as it is shown.
        count: how many frames the file says it has; None where it does not say.
        rate: how many frames a second it says it has; None where it does not say.
        shots: the frames.
    """

    size: tuple[int, int]
    count: int | None
    rate: float | None
    shots: Iterator[Shot]


def frame_rate(seconds: Sequence[float | None], said: float | None) -> float | None:
    """Frames a second at which frames take as long as they took: by their time stamps, else what the file says.

    What the file says is taken where it agrees to 2 %, as time stamps are rounded and it is not.

    >>> frame_rate([0.0, 0.033, 0.067, 0.1], 30.0), frame_rate([0.0, 0.1, 0.4], 30.0), frame_rate([None, None], 24.0)
    (30.0, 5.0, 24.0)
    """
    known = [at for at in seconds if at is not None]
    if len(known) < max(2, len(seconds)) or not all(a < b for a, b in pairwise(known)):
        return said
    measured = (len(known) - 1) / (known[-1] - known[0])
    return said if said and abs(measured / said - 1) < 0.02 else measured
