"""Noise levels (sigma) from pure noise down to the picture."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.errors import InputError


def karras_sigmas(
    steps: int, sigma_max: float = 700.0, sigma_min: float = 0.002, rho: float = 7.0
) -> Float[Array, "levels"]:
    """Karras et al. (2022), eq. (5): `steps` levels from `sigma_max` to `sigma_min`, then 0.

    Args:
        steps: number of solver steps, at least 1; a single one goes from `sigma_max` to 0.
        sigma_max: largest noise level; SVD's is 700.
        sigma_min: smallest noise level before 0. Where it is `sigma_max`, all levels are equal: all steps but the last
            are of no length.
        rho: how strongly steps gather at small sigma.

    Raises:
        InputError: fewer than one step, or not 0 < sigma_min <= sigma_max.

    >>> [f"{sigma:.4g}" for sigma in karras_sigmas(3)]
    ['700', '15.59', '0.002', '0']
    """
    _check_range(steps, sigma_max, sigma_min)
    ramp = np.linspace(0, 1, steps)
    inverse = sigma_max ** (1 / rho) + ramp * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))
    return jnp.asarray(np.append(inverse**rho, 0.0))


def exponential_sigmas(steps: int, sigma_max: float = 700.0, sigma_min: float = 0.002) -> Float[Array, "levels"]:
    """`steps` levels from `sigma_max` to `sigma_min`, each the same fraction of the one before, then 0.

    Raises:
        InputError: fewer than one step, or not 0 < sigma_min <= sigma_max.

    >>> [f"{sigma:.4g}" for sigma in exponential_sigmas(4, 80.0, 0.08)]
    ['80', '8', '0.8', '0.08', '0']
    """
    _check_range(steps, sigma_max, sigma_min)
    return jnp.asarray(np.append(np.geomspace(sigma_max, sigma_min, steps), 0.0))


def flow_sigmas(steps: int, sigma_max: float = 2997.0) -> Float[Array, "levels"]:
    """Levels t / (1 - t) of a flow x_t = (1 - t) x0 + t noise whose times fall evenly from 1 before they are shifted.

    A shift, t' = shift t / (1 + (shift - 1) t), is shift times the level. The first time is 999/1000, before: at 1
    nothing but noise is left, and sigma has no number for that.

    Args:
        steps: number of solver steps, at least 1.
        sigma_max: largest noise level, 999 times the shift.

    Raises:
        InputError: fewer than one step, or a level that is not positive.

    >>> [f"{sigma:.4g}" for sigma in flow_sigmas(4, 3 * 999.0)]
    ['2997', '9', '3', '1', '0']
    """
    _check_range(steps, sigma_max, sigma_max)
    times = np.minimum(1 - np.arange(steps) / steps, 0.999)
    return jnp.asarray(np.append(sigma_max / 999 * times / (1 - times), 0.0))


def listed_sigmas(levels: Sequence[float]) -> Float[Array, "levels"]:
    """The given levels, then 0 if they do not end with it.

    Raises:
        InputError: levels that are not positive or do not fall.

    >>> listed_sigmas((80.0, 10.0, 1.0)).tolist()
    [80.0, 10.0, 1.0, 0.0]
    """
    sigmas = np.asarray(levels if levels and levels[-1] == 0 else [*levels, 0.0], float)
    if len(sigmas) < 2 or not (np.diff(sigmas) < 0).all():
        raise InputError(f"a list of sigmas must be positive and fall, not {' '.join(f'{s:g}' for s in levels)}")
    return jnp.asarray(sigmas)


def _check_range(steps: int, sigma_max: float, sigma_min: float) -> None:
    if steps < 1:
        raise InputError(f"steps must be at least 1, not {steps}")
    if not 0 < sigma_min <= sigma_max:
        raise InputError(f"sigmas must satisfy 0 < sigma_min <= sigma_max, not {sigma_min} and {sigma_max}")
