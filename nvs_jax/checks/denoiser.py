"""What a sound denoiser does: it finds a known clip behind noise, the better the less noise there is."""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.checks.finite import check_finite
from nvs_jax.checks.outcome import Outcome

Latents = Float[Array, "b f h w c"]
Estimate = Callable[[Latents, Float[Array, ""]], Latents]
"""x0 from (x, sigma)."""

LIMITS: Mapping[float, float] = {0.1: 1.0, 0.5: 0.8, 2.0: 0.8, 10.0: 0.8, 80.0: 0.9}
"""sigma -> largest error of x0, as a share of `baseline_error`. A network that says nothing has 1, one whose answers
are unrelated to the clip about 1.4. At little noise there is little to gain; at much, only the given picture tells
anything of the clip."""
RISE = 1.05
"""With less noise the error must fall; where it has settled, it may wander by this factor."""
FALL = 0.8
"""Error at the least noise over error at the most."""


def check_denoiser(
    estimate: Estimate, clean: Latents, noise: Latents, name: str = "UNet", limits: Mapping[float, float] = LIMITS
) -> Iterator[Outcome]:
    """Errors of x0 at several noise levels.

    Args:
        estimate: the denoiser's, told what the clip's first frame is.
        clean: latents of the clip, in the denoiser's units.
        noise: N(0, 1).
        name: of the denoiser in the report.
        limits: see `LIMITS`.
    """
    levels = sorted(limits)
    errors = []
    for level in levels:
        x0 = estimate(clean + level * noise, jnp.float32(level))
        errors.append(_distance(x0, clean))
        share = errors[-1] / baseline_error(clean, noise, level)
        yield Outcome(f"{name}: error of x0 at sigma {level:g}, share of the trivial", share, low=0, high=limits[level])
        yield check_finite(f"{name}: x0 at sigma {level:g}", x0)
    if len(levels) > 1:
        rise = max(_ratio(less, more) for less, more in pairwise(errors))
        yield Outcome(f"{name}: error at a sigma over error at the next larger, worst", rise, low=0, high=RISE)
        fall = _ratio(errors[0], errors[-1])
        yield Outcome(f"{name}: error at the least sigma over error at the largest", fall, low=0, high=FALL)


def baseline_error(clean: Latents, noise: Latents, sigma: float) -> float:
    """Error of the better of two estimates that need no network: the noisy latents x, and x / (sigma^2 + 1).

    The second is the best there is if latents were N(0, 1) and independent, and what v-prediction gives for v = 0.
    """
    x = np.asarray(clean) + sigma * np.asarray(noise)
    return min(_distance(x, clean), _distance(x / (sigma**2 + 1), clean))


def _ratio(less: float, more: float) -> float:
    return less / more if more else math.nan  # an error of nothing is no error of a network


def _distance(x: Latents | np.ndarray, y: Latents) -> float:
    return float(np.sqrt(np.mean((np.asarray(x, np.float64) - np.asarray(y, np.float64)) ** 2)))
