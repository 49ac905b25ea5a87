"""Churn: Heun's step, with the noise of solver.churn added before each (Karras et al., 2022, Algorithm 2)."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.randomness import normal
from nvs_jax.diffusion.solver import Estimator
from nvs_jax.diffusion.solvers.heun import Heun
from nvs_jax.settings import SolverSettings


@dataclass(frozen=True)
class Churn(Heun):
    """Stochastic: Karras et al. (2022), Algorithm 2. Each step begins by adding some noise, then is Heun's.

    Attributes:
        gamma: by how much a step raises sigma before it lowers it, relative to sigma: min(S_churn / N, sqrt(2) - 1).
        low: S_tmin, the smallest sigma at which noise is added.
        high: S_tmax, the largest.
        noise: S_noise, the standard deviation of what is added.
    """

    order: ClassVar[int] = 2
    """Without its noise."""

    gamma: float = 0.4
    low: float = 0.05
    high: float = 50.0
    noise: float = 1.003

    @classmethod
    def of(cls, settings: SolverSettings, steps: int) -> "Churn":
        """The noise of the settings, divided among the steps."""
        gamma = min(settings.churn / steps, 2**0.5 - 1)
        return cls(gamma, *settings.churn_interval, settings.churn_noise)

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, tuple[()]]:
        """x + sqrt(raised^2 - sigma^2) noise, and Heun's step from there."""
        gamma = jnp.where((self.low <= sigma) & (sigma <= self.high), self.gamma, 0.0)
        raised = sigma * (1 + gamma)
        fresh = self.noise * normal(key, x)
        x = x + sigma * jnp.sqrt(gamma * (gamma + 2)) * fresh
        return super().step(x, memory, raised, sigma_next, estimate, key)
