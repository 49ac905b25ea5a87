"""Where the states of a long video are kept while it is rendered leg by leg."""

from typing import Protocol, runtime_checkable

from nvs_jax.diffusion.problem import States


@runtime_checkable
class LegStates(Protocol):
    """The `States` of every leg of a video; `nvs_jax.runs.resume.Run` is one."""

    def leg(self, index: int, count: int) -> States:
        """Of a leg of so many, counted from 0."""
        ...
