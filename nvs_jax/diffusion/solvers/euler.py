"""Euler: first order, one estimate a step, the release's."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Array

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.solver import Estimator


@dataclass(frozen=True)
class Euler:
    """First order, one evaluation a step; the release's."""

    order: ClassVar[int] = 1

    def init(self, x: Latents) -> tuple[()]:
        return ()

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, tuple[()]]:
        """x + dX/dsigma (sigma_next - sigma)."""
        derivative = (x - estimate(x, sigma)) / sigma
        return x + derivative * (sigma_next - sigma), memory
