"""The time that a training has, over all processes that go on with it."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nvs_jax.runs.stopping import StopRequest, stop_on_signals

Clock = Callable[[], float]
"""Seconds since some moment in the past."""


def since(used: float, clock: Clock = time.monotonic) -> Clock:
    """A clock that shows `used` now."""
    start = clock() - used
    return lambda: clock() - start


@dataclass(frozen=True)
class Span:
    """A part of the training's time, in seconds on its clock."""

    start: float
    end: float

    def part(self, now: float) -> float:
        """How much of it is over, from 0 to 1."""
        return min(max((now - self.start) / (self.end - self.start), 0.0), 1.0)

    def rate(self, now: float, cool_down: float) -> float:
        """Factor on the learning rate: 1, falling to a fiftieth over the last part.

        >>> Span(0, 100).rate(50, 0.25), Span(0, 100).rate(100, 0.25)
        (1.0, 0.02)
        """
        left = 1 - self.part(now)
        return 1.0 if left >= cool_down else 0.02 + 0.98 * left / cool_down


@contextmanager
def stop_when_asked() -> Iterator[StopRequest]:
    """SIGTERM, SIGHUP and the first Ctrl-C ask to stop; the second Ctrl-C ends at once."""
    with stop_on_signals() as request:
        former = signal.getsignal(signal.SIGINT)

        def ask(*_: Any) -> None:
            request.wanted = True
            signal.signal(signal.SIGINT, former)

        if former is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, ask)
        try:
            yield request
        finally:
            signal.signal(signal.SIGINT, former)
