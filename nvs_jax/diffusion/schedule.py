"""Noise levels (sigma) from pure noise down to the picture."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.errors import InputError


def karras_sigmas(
    steps: int, sigma_max: float = 700.0, sigma_min: float = 0.002, rho: float = 7.0
) -> Float[Array, "levels"]:
    """Karras et al. (2022), eq. (5): `steps` levels from `sigma_max` to `sigma_min`, then 0.

    Args:
        steps: number of solver steps, at least 1.
        sigma_max: largest noise level; SVD's is 700.
        sigma_min: smallest noise level before 0.
        rho: how strongly steps gather at small sigma.

    Raises:
        InputError: fewer than one step, or levels that do not fall.

    >>> [f"{sigma:.4g}" for sigma in karras_sigmas(3)]
    ['700', '15.59', '0.002', '0']
    """
    if steps < 1:
        raise InputError(f"steps must be at least 1, not {steps}")
    if not 0 < sigma_min <= sigma_max:
        raise InputError(f"sigmas must satisfy 0 < sigma_min <= sigma_max, not {sigma_min} and {sigma_max}")
    ramp = np.linspace(0, 1, steps)
    inverse = sigma_max ** (1 / rho) + ramp * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))
    return jnp.asarray(np.append(inverse**rho, 0.0))
