"""Inner resampling: at one noise level the estimate with fresh noise takes the place of the latents, again and again.

What the guidance puts in agrees more with what the network makes of it each time (RePaint, arXiv 2201.09865;
WorldForge, arXiv 2509.15130). The estimate is a mean, not a sample: unlike restarts, this changes what is sampled.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.randomness import Keys, fold_in, normal
from nvs_jax.diffusion.solver import Estimator, Solver

_OF_RESAMPLING = 2


@dataclass(frozen=True)
class Resampling:
    """A solver whose step from a level to the same level is X <- mu~(X) + sigma eps, and forgets.

    Attributes:
        solver: makes all other steps. Its step to 0, which is the estimate itself, gives mu~.
    """

    solver: Solver

    def init(self, x: Latents) -> Any:
        return self.solver.init(x)

    def step(
        self, x: Latents, memory: Any, sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Keys
    ) -> tuple[Latents, Any]:
        """Where sigma_next = sigma: the estimate with fresh noise."""
        same = sigma_next == sigma
        x, kept = self.solver.step(x, memory, sigma, jnp.where(same, 0.0, sigma_next), estimate, key)
        x = x + jnp.where(same, sigma, 0.0) * normal(fold_in(key, _OF_RESAMPLING), x)
        return x, jax.tree.map(lambda fresh, kept: jnp.where(same, fresh, kept), self.init(x), kept)


def resampled(
    solver: Solver, sigmas: Float[Array, "levels"], times: int, low: float, high: float
) -> tuple[Solver, Float[Array, "more"]]:
    """The solver, and the levels with those in [low, high] so many times more, each after itself."""
    counts = jnp.where((low <= sigmas) & (sigmas <= high), 1 + times, 1)
    return Resampling(solver), jnp.repeat(sigmas, counts)
