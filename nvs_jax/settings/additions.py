"""Parts of the sampler that the paper has not: each is off unless it is asked for. No JAX here."""

from dataclasses import dataclass
from typing import Annotated

from nvs_jax.settings.ranges import TINY, Between, Ranged, require


@dataclass(frozen=True)
class RestartSettings(Ranged, group="restart."):
    """Steps between two noise levels made again, each time from fresh noise (Xu et al., 2023)."""

    times: Annotated[int, Between(0, 100)] = 0
    """How often again; 0: not at all."""
    low: Annotated[float, Between(TINY, 1e6)] = 1.0
    """Noise is added at the smallest level of the schedule that is not below this ..."""
    high: Annotated[float, Between(TINY, 1e6)] = 20.0
    """... and brings back to the largest one that is not above this."""

    def __post_init__(self):
        super().__post_init__()
        require(self.low < self.high, f"restart.low must be below restart.high, not {self.low} and {self.high}")


@dataclass(frozen=True)
class ResampleSettings(Ranged, group="resample."):
    """At every noise level of an interval, the estimate with fresh noise, and from there again."""

    times: Annotated[int, Between(0, 100)] = 0
    """How often at each level; 0: not at all. Each is one more evaluation."""
    low: Annotated[float, Between(TINY, 1e6)] = 1.0
    """Smallest noise level at which it is done."""
    high: Annotated[float, Between(TINY, 1e6)] = 20.0
    """Largest."""

    def __post_init__(self):
        super().__post_init__()
        require(self.low <= self.high, f"resample.low must not exceed resample.high, not {self.low} and {self.high}")


@dataclass(frozen=True)
class ParticleSettings(Ranged, group="particles."):
    """Several videos sampled at once; those whose estimates fit the warped views better take the place of others."""

    count: Annotated[int, Between(1, 64)] = 1
    """How many; the best is the result. 1: no choice."""
    low: Annotated[float, Between(TINY, 1e6)] = 1.0
    """Smallest noise level after which they are chosen among."""
    high: Annotated[float, Between(TINY, 1e6)] = 20.0
    """Largest."""
    temperature: Annotated[float, Between(TINY, 1e6)] = 0.01
    """How much worse in mean square, in units of the latents, an estimate with 1/e of another's chances is."""

    def __post_init__(self):
        super().__post_init__()
        require(self.low <= self.high, f"particles.low must not exceed particles.high, not {self.low} and {self.high}")
