"""UniPC: a predictor and a corrector, third order by default, one estimate a step (Zhao et al., 2023)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.exponential import Past, length, moves, no_past, phi, remembered
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.diffusion.solver import Estimator


@dataclass(frozen=True)
class UniPC:
    """UniPC-p with B_2(h) = e^h - 1: each estimate first corrects the step that led to it, then predicts the next one.

    What is added to the latents is the difference of corrector and predictor, so that what a guidance has done to them
    since (Post's correction) stays. Without it this is the paper's method.

    Attributes:
        p: 2 or 3: of how many estimates the predictor is made; the corrector has one more.
    """

    p: int = 2

    def __post_init__(self):
        if self.p not in (2, 3):
            raise ValueError(f"p of unipc must be 2 or 3, not {self.p}")

    @property
    def order(self) -> int:
        """Of convergence: the corrector's."""
        return self.p + 1

    def init(self, x: Latents) -> tuple[Past, ...]:
        return tuple(no_past(x) for _ in range(self.p))

    def step(
        self,
        x: Latents,
        memory: tuple[Past, ...],
        sigma: Sigma,
        sigma_next: Sigma,
        estimate: Estimator,
        key: Keys,
    ) -> tuple[Latents, tuple[Past, ...]]:
        """X_next = e^-h X + (1 - e^-h) (mu + residual); to 0 the step is mu itself."""
        now, (last, *older) = (estimate(x, sigma), sigma), memory
        wrong = _residual(last, (now, *older), sigma) - _residual(last, older[: self.p - 1], sigma)
        known = (last[1] > 0) & moves(sigma, sigma_next)
        x = x + jnp.where(known, (1 - sigma / jnp.where(known, last[1], 1.0)) * wrong, 0.0)
        residual = jnp.where(sigma_next > 0, _residual(now, memory[: self.p - 1], sigma_next), 0.0)
        shrink = sigma_next / sigma
        x = shrink * x + (1 - shrink) * (now[0] + residual)
        return x, remembered((now, *memory[:-1]), memory, sigma, sigma_next)


def _residual(base: Past, others: Sequence[Past], sigma_next: Sigma) -> Latents:
    """What other estimates add to that of the base, in the step from there to `sigma_next`.

    sum_j rho_j (mu_j - mu) / r_j with r_j = (t_j - t) / h, where sum_j rho_j r_j^(i-1) = i! phi_i+1(-h) / phi_1(-h) for
    i = 1, 2, ...; of a single other, rho = 1/2 as the paper has it.

    Args:
        base: estimate and noise level where the step begins.
        others: those known come first.
        sigma_next: where it ends.
    """
    h, total = length(base[1], sigma_next), jnp.zeros_like(base[0])
    # Of those not known, any that are apart will do: they are not taken.
    nodes = [
        jnp.where(sigma > 0, length(base[1], sigma) / h, -2.0 - j).astype(h.dtype)
        for j, (_, sigma) in enumerate(others)
    ]
    moments = [math.factorial(i) * phi(i + 1, h) / phi(1, h) for i in range(1, len(others) + 1)]
    for count in range(1, len(others) + 1):
        rho = [jnp.asarray(0.5, h.dtype)] if count == 1 else _weights(nodes[:count], moments)
        terms = (w / r * (mu - base[0]) for w, r, (mu, _) in zip(rho, nodes, others, strict=False))
        total = jnp.where(others[count - 1][1] > 0, sum(terms), total)
    return total


def _weights(nodes: Sequence[Array], moments: Sequence[Array]) -> list[Array]:
    """rho with sum_j rho_j r_j^(i-1) = the i-th moment: the moments of the nodes' Lagrange polynomials."""
    weights = []
    for j, node in enumerate(nodes):
        coefficients = [
            jnp.ones_like(node)
        ]  # of the polynomial that is 1 at this node and 0 at all others, lowest first
        for other in (*nodes[:j], *nodes[j + 1 :]):
            shifted = zip([*coefficients, 0.0], [0.0, *coefficients], strict=True)
            coefficients = [(low - other * same) / (node - other) for same, low in shifted]
        weights.append(sum(c * moment for c, moment in zip(coefficients, moments, strict=False)))
    return weights
