"""DPM-Solver++(2M): second order, one estimate a step (Lu et al., 2022)."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.exponential import Past, length, no_past, remembered
from nvs_jax.diffusion.solver import Estimator


@dataclass(frozen=True)
class DPMSolverPP2M:
    """Second order, one evaluation a step: DPM-Solver++(2M) of Lu et al. (2022)."""

    order: ClassVar[int] = 2

    def init(self, x: Latents) -> Past:
        return no_past(x)

    def step(
        self, x: Latents, memory: Past, sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, Past]:
        """mu(s) is taken to be constant: its value in the middle of the step, extrapolated from the last estimate."""
        mu, (before, sigma_before) = estimate(x, sigma), memory
        h, h_before = length(sigma, sigma_next), length(sigma_before, sigma)
        known = (sigma_before > 0) & (sigma_next > 0)
        middle = mu + jnp.where(known, h / (2 * h_before), 0.0) * (mu - before)
        shrink = sigma_next / sigma
        return shrink * x + (1 - shrink) * middle, remembered((mu, sigma), memory, sigma, sigma_next)
