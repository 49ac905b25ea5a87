"""Exponential Adams: third order, one estimate a step (Hochbruck and Ostermann, 2010)."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.exponential import Past, length, no_past, remembered
from nvs_jax.diffusion.solver import Estimator


@dataclass(frozen=True)
class ExponentialAdams:
    """Third order, one evaluation a step: the exponential Adams-Bashforth method (Hochbruck and Ostermann, 2010).

    mu(s) is the parabola through the last three estimates, integrated exactly; through fewer in the first two steps,
    which are short of nothing where they begin at noise so large that mu hardly changes.
    """

    order: ClassVar[int] = 3

    def init(self, x: Latents) -> tuple[Past, Past]:
        return no_past(x), no_past(x)

    def step(
        self,
        x: Latents,
        memory: tuple[Past, Past],
        sigma: Sigma,
        sigma_next: Sigma,
        estimate: Estimator,
        key: Array,
    ) -> tuple[Latents, tuple[Past, Past]]:
        """Newton's form mu + s first + s (s + h1) second, times e^(s - h), integrated over s from 0 to h."""
        mu, ((mu1, sigma1), (mu2, sigma2)) = estimate(x, sigma), memory
        h, h1, h2 = length(sigma, sigma_next), length(sigma1, sigma), length(sigma2, sigma1)
        first = (mu - mu1) / h1
        second = (first - (mu1 - mu2) / h2) / (h1 + h2)
        shrink = sigma_next / sigma
        of_1 = 1 - shrink
        of_s = jnp.where((sigma1 > 0) & (sigma_next > 0), h - of_1, 0.0)
        of_ss = jnp.where((sigma2 > 0) & (sigma_next > 0), h**2 - 2 * (h - of_1), 0.0)
        curved = of_ss + jnp.where(sigma2 > 0, h1 * of_s, 0.0)
        x = shrink * x + of_1 * mu + of_s * first + curved * second
        return x, remembered(((mu, sigma), memory[0]), memory, sigma, sigma_next)
