"""Restarts: back from a small noise level to a large one by fresh noise, and down again (Xu et al., 2023).

The noise that is added is what lies between the levels, so that what is distributed right stays so, while the errors of
earlier steps are forgotten (arXiv 2306.14878).
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.randomness import Keys, fold_in, normal
from nvs_jax.diffusion.solver import Estimator, Solver
from nvs_jax.errors import InputError

_OF_RESTARTS = 1


@dataclass(frozen=True)
class Restarting:
    """A solver whose step to a higher level first goes up: X <- X + sqrt(high^2 - sigma^2) eps, and forgets.

    Attributes:
        solver: makes the steps.
        high: where it goes up to.
    """

    solver: Solver
    high: float

    def init(self, x: Latents) -> Any:
        return self.solver.init(x)

    def step(
        self, x: Latents, memory: Any, sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Keys
    ) -> tuple[Latents, Any]:
        """Where sigma_next > sigma: up to `high`, and a step from there."""
        up = sigma_next > sigma
        added = jnp.sqrt(jnp.where(up, self.high**2 - sigma**2, 1.0))
        x = x + jnp.where(up, added, 0.0) * normal(fold_in(key, _OF_RESTARTS), x)
        memory = jax.tree.map(lambda fresh, kept: jnp.where(up, fresh, kept), self.init(x), memory)
        return self.solver.step(x, memory, jnp.where(up, self.high, sigma), sigma_next, estimate, key)


def restarted(
    solver: Solver, sigmas: Float[Array, "levels"], times: int, low: float, high: float
) -> tuple[Solver, Float[Array, "more"]]:
    """The solver, and the levels a, ..., b of [low, high] with a+1, ..., b again so many times: to a+1 by way of a.

    Raises:
        InputError: fewer than three levels in [low, high].
    """
    inside = jnp.flatnonzero((low <= sigmas) & (sigmas <= high))
    if len(inside) < 3:
        raise InputError(
            f"restarts from {low:g} to {high:g} take three noise levels of the schedule, not {len(inside)}"
        )
    first, last = int(inside[0]), int(inside[-1])
    again = jnp.tile(sigmas[first + 1 : last + 1], times)
    levels = jnp.concatenate([sigmas[: last + 1], again, sigmas[last + 1 :]])
    return Restarting(solver, float(sigmas[first])), levels
