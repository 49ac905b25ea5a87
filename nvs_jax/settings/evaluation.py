"""What the benchmark measures on. Chosen before the first measurement, and left alone since (no JAX here)."""

from dataclasses import asdict, dataclass
from typing import Annotated

from nvs_jax.errors import InputError
from nvs_jax.settings.ranges import Between, Ranged

EVALUATION_SEEDS = range(40_000, 40_032)
"""Scenes that results are reported on. Nothing was trained, fitted or chosen on them; the default warp was chosen on
others (scripts/benchmark_warp.py)."""
FITTING_SEEDS = range(3_000_000, 3_000_008)
"""Scenes that trust in the warped view is fitted on. Training takes seeds from 1,000,000 on."""
PROTOCOL = 1
"""Goes up whenever the same frames would get other scores, or the same variant other frames: old results are left."""


@dataclass(frozen=True)
class BenchmarkSettings(Ranged, group="--"):
    """Pictures and path; the same for every scene, but that every other one is gone round the other way."""

    size: Annotated[tuple[int, int], Between(8, 4096)] = (96, 128)
    """Rows and columns of the pictures."""
    frames: Annotated[int, Between(2, 200)] = 8
    """Of a video, the given view included."""
    step_degrees: float = 5.0
    """Angle on the orbit from frame to frame."""
    samples: Annotated[int, Between(1, 8)] = 2
    """Rays along each side of a pixel of the true pictures."""
    natural: Annotated[float, Between(0, 1)] = 0.0
    """Probability of a scene most of whose surfaces look as in photographs; the others have plain patterns."""

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.step_degrees * (self.frames - 1) <= 90:
            raise InputError(f"the path must turn by 90 degrees at most, not {self.step_degrees * (self.frames - 1)}")

    @property
    def known(self) -> dict[str, object]:
        """What results are known by: settings younger than the first results count for nothing at their defaults."""
        values = asdict(self)
        return values if self.natural else {name: value for name, value in values.items() if name != "natural"}

    @property
    def looks(self) -> str:
        """What a report says of the scenes, after their number; nothing where they are as always."""
        return f", each with a probability of {self.natural:.0%} as in photographs" if self.natural else ""

    @property
    def angles(self) -> tuple[float, ...]:
        """Degrees from the given view, of every other frame."""
        return tuple(self.step_degrees * frame for frame in range(1, self.frames))
