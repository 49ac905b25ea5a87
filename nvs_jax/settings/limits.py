"""What a setting can be at all: every number is finite, and many have a range. No JAX here.

Beyond these a run would end in the middle, with an error that names no setting, or take all memory. The ranges are
far wider than what is sensible.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from nvs_jax.errors import InputError

_LARGEST = 1e9
_TINY = 1e-6

RANGES: dict[str, tuple[float, float]] = {
    "schedule.steps": (1, 10_000),
    "schedule.sigma_max": (_TINY, 1e6),
    "schedule.sigma_min": (_TINY, 1e6),
    "schedule.rho": (0.1, 100),
    "schedule.levels": (_TINY, 1e6),
    "solver.churn": (0, 1e6),
    "solver.churn_interval": (0, 1e6),
    "solver.churn_noise": (0, 100),
    "conditioning.fps": (1, 240),
    "conditioning.motion_bucket": (0, 1000),
    "conditioning.guidance_interval": (0, 1e6),
    "conditioning.noise_aug": (0, 100),
    "conditioning.target_scale": (_TINY, 1e6),
    "trust.v1": (_TINY, 1e6),
    "trust.v2": (0, 1e6),
    "trust.v3": (0, 1e6),
    "guidance.clamp": (0, 1),
    "guidance.hole_strength": (0, 1),
    "guidance.hole_sigma": (0, 1e6),
    "guidance.temperature": (_TINY, 1e6),
    "guidance.interval": (0, 1e6),
    "guidance.learning_rate": (0, 1000),
    "picture.size": (1, 8192),
    "picture.max_pixels": (1, 64_000_000),
    "camera.focal": (0.01, 1000),
    "camera.fov": (0.1, 179),
    "camera.disparity_scale": (_TINY, 1e9),
    "camera.far": (_TINY, 1e9),
    "camera.disparity.percentiles": (0, 100),
    "camera.disparity.max_ratio": (1, 1e6),
    "camera.disparity.centre": (1e-3, 1),
    "path.frames": (2, 2000),
    "path.radius": (1e-3, 1e6),
    "path.start": (-1e6, 1e6),
    "path.end": (-1e6, 1e6),
    "path.reach": (-1e6, 1e6),
    "path.travel": (-1e6, 1e6),
    "views.count": (1, 1000),
    "warp.depth_clip": (_TINY, 1e9),
    "warp.max_weight": (0, 1e9),
    "warp.sharpness": (0, 1000),
    "warp.dilation": (1, 255),
    "decode_chunk": (1, 10_000),
    "memory.tile": (8, 8192),
    "memory.tile_overlap": (0, 8192),
}


def check_numbers(settings: Any) -> None:
    """Check every number in a dataclass of settings, groups and tuples included.

    Raises:
        InputError: one is not finite, or outside its range; the message names it.
    """
    for name, value in _numbers(settings):
        low, high = RANGES.get(name, (-_LARGEST, _LARGEST))
        if not low <= value <= high:  # also true of NaN
            raise InputError(f"{name} must lie between {low:g} and {high:g}, which {str(value)[:30]} does not")


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, int | float]]:
    """(dotted name, number) of everything that is one; truth values are none."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _numbers(getattr(value, field.name), f"{name}.{field.name}" if name else field.name)
    elif isinstance(value, tuple):
        for entry in value:
            yield from _numbers(entry, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value
