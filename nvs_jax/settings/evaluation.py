"""What the benchmark measures on. Chosen before the first measurement, and left alone since (no JAX here)."""

from dataclasses import dataclass

from nvs_jax.errors import InputError

EVALUATION_SEEDS = range(40_000, 40_032)
"""Scenes that results are reported on. Nothing was trained, fitted or chosen on them; the default warp was chosen on
others (scripts/benchmark_warp.py)."""
FITTING_SEEDS = range(3_000_000, 3_000_008)
"""Scenes that trust in the warped view is fitted on. Training takes seeds from 1,000,000 on."""
PROTOCOL = 1
"""Goes up whenever the same frames would get other scores, or the same variant other frames: old results are left."""


@dataclass(frozen=True)
class BenchmarkSettings:
    """Pictures and path; the same for every scene, but that every other one is gone round the other way."""

    size: tuple[int, int] = (96, 128)
    """Rows and columns of the pictures."""
    frames: int = 8
    """Of a video, the given view included."""
    step_degrees: float = 5.0
    """Angle on the orbit from frame to frame."""
    samples: int = 2
    """Rays along each side of a pixel of the true pictures."""

    def __post_init__(self):
        if not all(8 <= side <= 4096 for side in self.size):
            raise InputError(f"--size must lie between 8 and 4096, not {self.size[0]} {self.size[1]}")
        if not 2 <= self.frames <= 200:
            raise InputError(f"--frames must lie between 2 and 200, not {self.frames}")
        if not 0 < self.step_degrees * (self.frames - 1) <= 90:
            raise InputError(f"the path must turn by 90 degrees at most, not {self.step_degrees * (self.frames - 1)}")
        if not 1 <= self.samples <= 8:
            raise InputError(f"--samples must lie between 1 and 8, not {self.samples}")

    @property
    def angles(self) -> tuple[float, ...]:
        """Degrees from the given view, of every other frame."""
        return tuple(self.step_degrees * frame for frame in range(1, self.frames))
