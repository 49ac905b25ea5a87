"""LCM: re-noising, one estimate a step, for consistency models that need few (Wang et al., 2024)."""

from dataclasses import dataclass

from jaxtyping import Array

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.randomness import Keys, normal
from nvs_jax.diffusion.solver import Estimator


@dataclass(frozen=True)
class LCM:
    """Multistep consistency sampling: each estimate, with fresh noise of the next level (arXiv 2402.00769).

    It solves no ODE, and has no order: of a network that is no consistency model its results are smooth.
    """

    def init(self, x: Latents) -> tuple[()]:
        return ()

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Keys | Array
    ) -> tuple[Latents, tuple[()]]:
        """mu + sigma_next eps."""
        return estimate(x, sigma) + sigma_next * normal(key, x), memory
