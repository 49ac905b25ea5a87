"""Counting what XLA compiles."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax

_compiled = 0


def _listen(event: str, duration_secs: float, **kwargs: str | int) -> None:
    global _compiled
    _compiled += event == "/jax/core/compile/backend_compile_duration"


jax.monitoring.register_event_duration_secs_listener(_listen)


class Count:
    """How many programs were compiled inside the block."""

    value = -1


@contextmanager
def count_compilations() -> Iterator[Count]:
    """`with count_compilations() as count: ...; assert count.value == 0`."""
    before, count = _compiled, Count()
    yield count
    count.value = _compiled - before
