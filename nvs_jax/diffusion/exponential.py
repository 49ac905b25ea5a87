"""What exponential integrators have in common: the length of a step, and what is remembered after it.

In the time t = -log sigma the probability-flow ODE (6-7) is dX/dt = mu - X. Over a step of length h = t_next - t,

    X_next = e^-h X + integral_0^h e^(s-h) mu(s) ds,    e^-h = sigma_next / sigma,

and solvers differ in what they put for mu(s). To sigma_next = 0 the step is infinitely long and X_next = mu.
"""

from typing import TypeVar

import jax
import jax.numpy as jnp

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
    moved = sigma_next < sigma * (1 - 1e-6)
    return jax.tree.map(lambda new, old: jnp.where(moved, new, old), new, old)
