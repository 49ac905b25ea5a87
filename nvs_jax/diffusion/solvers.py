"""Solvers of the probability-flow ODE dX = (X - mu(X, sigma)) / sigma dsigma (6-7), one step each.

A solver is a frozen, hashable object (static under jit). What it remembers between steps is a pytree that `start`
makes and `step` returns, so that every solver runs in the same scan.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, PRNGKeyArray

from nvs_jax.diffusion.contracts import Latents, Sigma

Estimator = Callable[[Latents, Sigma], Latents]


@runtime_checkable
class Solver(Protocol):
    """One step from `sigma` to `sigma_next`."""

    def start(self, x: Latents) -> Any:
        """What the solver remembers before the first step."""
        ...

    def step(
        self, x: Latents, memory: Any, sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: PRNGKeyArray
    ) -> tuple[Latents, Any]:
        """The latents at `sigma_next`, and what to remember.

        Args:
            x: latents at `sigma`.
            memory: what the last step returned.
            sigma: noise level of `x`.
            sigma_next: noise level to arrive at, possibly 0.
            estimate: guided x0 at any (x, sigma).
            key: randomness of this step.
        """
        ...


@dataclass(frozen=True)
class Euler:
    """First order, one evaluation a step; the release's."""

    def start(self, x: Latents) -> tuple[()]:
        """Nothing to remember."""
        return ()

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, tuple[()]]:
        """x + dX/dsigma (sigma_next - sigma)."""
        derivative = (x - estimate(x, sigma)) / sigma
        return x + derivative * (sigma_next - sigma), memory
