"""How long something takes. No JAX and no PyTorch here."""

import statistics
import time
from collections.abc import Callable

from scripts.accelerator.sizes import Size

LEAST = 0.02
"""Seconds that a timed run takes at least: what is shorter is called several times."""
MOST_CALLS = 50


def time_of(call: Callable[[], object], wait: Callable[[object], object], size: Size) -> float:
    """Median seconds of a call, after some to warm up.

    Args:
        call: begins the work; may come back before it is done.
        wait: for what the call returned.
        size: says how many runs.
    """

    def run(calls: int) -> float:
        begun = time.perf_counter()
        for _ in range(calls):
            result = call()
        wait(result)
        return (time.perf_counter() - begun) / calls

    once = min(run(1) for _ in range(size.warm))
    calls = max(1, min(MOST_CALLS, round(LEAST / once))) if size.name == "full" else 1
    return statistics.median(run(calls) for _ in range(size.runs))
