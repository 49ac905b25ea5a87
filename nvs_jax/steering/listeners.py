"""Who is told how far a render is, and who keeps what has been sampled."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from nvs_jax.diffusion.sampler import Carry

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total) whenever a part of a stage is done: "warp", "encode", "sample", "decode"."""


@runtime_checkable
class States(Protocol):
    """Where a sampler keeps its states between programs, so that a run can go on after being killed."""

    def restore(self, fresh: Carry) -> Carry:
        """The newest state that was kept, or `fresh`, the one before the first step."""
        ...

    def save(self, carry: Carry) -> None:
        """Keep a state; it must be on disk, or the host, when this returns."""
        ...


@runtime_checkable
class LegStates(Protocol):
    """The `States` of every leg of a video; `nvs_jax.runs.resume.Run` is one."""

    def leg(self, index: int, count: int) -> States:
        """Of a leg of so many, counted from 0."""
        ...
