"""RES2S: second order, two estimates a step, the second in the middle of it (Zhang et al., 2023)."""

from dataclasses import dataclass
from typing import ClassVar

import jax

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.exponential import length, phi
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.diffusion.solver import Estimator


@dataclass(frozen=True)
class RES2S:
    """The refined exponential solver of one step and two stages (arXiv 2308.02157): an exponential Runge-Kutta method.

    Its weights meet both conditions of the second order whatever the length of a step (Hochbruck and Ostermann, 2005).

    Attributes:
        c2: where in the time -log sigma of a step the second estimate is made: 1/2 is the middle.
    """

    order: ClassVar[int] = 2

    c2: float = 0.5

    def __post_init__(self):
        if not 0 < self.c2 <= 1:
            raise ValueError(f"c2 of res2s must be more than 0 and at most 1, not {self.c2:g}")

    def init(self, x: Latents) -> tuple[()]:
        return ()

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Keys
    ) -> tuple[Latents, tuple[()]]:
        """X_next = e^-h X + h (phi_1 - phi_2 / c2) mu_1 + h phi_2 / c2 mu_2, of phi(-h); mu itself to sigma = 0."""
        first, h, shrink = estimate(x, sigma), length(sigma, sigma_next), sigma_next / sigma

        def two_stages(x: Latents) -> Latents:
            part = shrink**self.c2
            second = estimate(part * x + (1 - part) * first, sigma * part)
            return shrink * x + (1 - shrink) * first + h * phi(2, h) / self.c2 * (second - first)

        return jax.lax.cond(sigma_next > 0, two_stages, lambda x: first, x), memory
