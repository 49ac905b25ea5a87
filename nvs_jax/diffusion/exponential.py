"""What exponential integrators have in common: the length of a step, and what is remembered after it.

In the time t = -log sigma the probability-flow ODE (6-7) is dX/dt = mu - X. Over a step of length h = t_next - t,

    X_next = e^-h X + integral_0^h e^(s-h) mu(s) ds,    e^-h = sigma_next / sigma,

and solvers differ in what they put for mu(s). To sigma_next = 0 the step is infinitely long and X_next = mu.
"""

import math
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from nvs_jax.diffusion.contracts import Latents, Sigma

Memory = TypeVar("Memory")
Past = tuple[Latents, Sigma]
"""An earlier estimate and its noise level; 0 where there was none yet."""


def no_past(x: Latents) -> Past:
    """Before the first estimate."""
    return jnp.zeros_like(x), jnp.zeros((), x.dtype)


def length(sigma: Sigma, sigma_next: Sigma) -> Sigma:
    """log(sigma / sigma_next), and 1 where one of them is 0: what depends on it is not used there."""
    known = (sigma > 0) & (sigma_next > 0)
    return jnp.where(known, jnp.log(jnp.where(known, sigma, 1.0) / jnp.where(known, sigma_next, 1.0)), 1.0)


def remembered(new: Memory, old: Memory, sigma: Sigma, sigma_next: Sigma) -> Memory:
    """The old memory after a step of no length, between two equal levels: a slope needs estimates that are apart."""
    moved = moves(sigma, sigma_next)
    return jax.tree.map(lambda new, old: jnp.where(moved, new, old), new, old)


def moves(sigma: Sigma, sigma_next: Sigma) -> Bool[Array, ""]:
    """Whether a step has a length."""
    return sigma_next < sigma * (1 - 1e-6)


def phi(k: int, h: Sigma) -> Sigma:
    """phi_k(-h) = integral_0^1 e^(-(1 - s) h) s^(k-1) / (k-1)! ds for h >= 0, exact to rounding at any h.

    phi_1(z) = (e^z - 1) / z and phi_k+1(z) = (phi_k(z) - 1/k!) / z; where h is small they lose all digits, and the
    power series is taken.

    >>> [round(float(phi(k, jnp.float32(1e-5))), 4) for k in (1, 2, 3)]
    [1.0, 0.5, 0.1667]
    """
    z, small = -h, h < 1
    tiny, large = jnp.where(small, z, 0.0), jnp.where(small, -1.0, z)
    series, recurrence = jnp.zeros_like(h), jnp.expm1(large) / large
    for n in reversed(range(18)):
        series = series * tiny + 1 / math.factorial(n + k)
    for j in range(1, k):
        recurrence = (recurrence - 1 / math.factorial(j)) / large
    return jnp.where(small, series, recurrence)
