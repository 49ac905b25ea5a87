"""Heun: second order, two estimates a step (Karras et al., 2022, Algorithm 1)."""

from dataclasses import dataclass
from typing import ClassVar

import jax
from jaxtyping import Array

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.solver import Estimator
from nvs_jax.diffusion.solvers.euler import Euler


@dataclass(frozen=True)
class Heun(Euler):
    """Second order, two evaluations a step: Karras et al. (2022), Algorithm 1."""

    order: ClassVar[int] = 2

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, tuple[()]]:
        """Euler's step, then the same again with the mean of the derivatives at both of its ends."""
        derivative = (x - estimate(x, sigma)) / sigma
        x_next = x + derivative * (sigma_next - sigma)

        def improve(x_next: Latents) -> Latents:
            at_end = (x_next - estimate(x_next, sigma_next)) / sigma_next
            return x + (derivative + at_end) / 2 * (sigma_next - sigma)

        return jax.lax.cond(sigma_next > 0, improve, lambda x_next: x_next, x_next), memory
