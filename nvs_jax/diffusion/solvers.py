"""Solvers of the probability-flow ODE dX = (X - mu(X, sigma)) / sigma dsigma (6-7), one step each.

A solver is a frozen, hashable object (static under jit). What it remembers between steps is a pytree that `init`
makes and `step` returns, so that every solver runs in the same scan.

In the time t = -log sigma the ODE is dX/dt = mu - X. Over a step of length h = t_next - t,

    X_next = e^-h X + integral_0^h e^(s-h) mu(s) ds,    e^-h = sigma_next / sigma,

and the multistep solvers differ in what they put for mu(s). To sigma_next = 0 the step is infinitely long and every
solver here gives X_next = mu, the estimate itself: Euler's step, of one evaluation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.randomness import Keys, normal

Estimator = Callable[[Latents, Sigma], Latents]
Memory = TypeVar("Memory")
Past = tuple[Latents, Sigma]
"""An earlier estimate and its noise level; 0 where there was none yet."""


@runtime_checkable
class Solver(Protocol):
    """One step from `sigma` to `sigma_next`."""

    def init(self, x: Latents) -> Any:
        """What the solver remembers before the first step."""
        ...

    def step(
        self, x: Latents, memory: Any, sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Keys
    ) -> tuple[Latents, Any]:
        """The latents at `sigma_next`, and what to remember.

        Args:
            x: latents at `sigma`.
            memory: what the last step returned.
            sigma: noise level of `x`.
            sigma_next: noise level to arrive at, possibly 0.
            estimate: guided x0 at any (x, sigma).
            key: randomness of this step: one, or one a video; `nvs_jax.diffusion.normal` draws from either.
        """
        ...


@dataclass(frozen=True)
class Euler:
    """First order, one evaluation a step; the release's."""

    def init(self, x: Latents) -> tuple[()]:
        return ()

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, tuple[()]]:
        """x + dX/dsigma (sigma_next - sigma)."""
        derivative = (x - estimate(x, sigma)) / sigma
        return x + derivative * (sigma_next - sigma), memory


@dataclass(frozen=True)
class Heun(Euler):
    """Second order, two evaluations a step: Karras et al. (2022), Algorithm 1."""

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, tuple[()]]:
        """Euler's step, then the same again with the mean of the derivatives at both of its ends."""
        derivative = (x - estimate(x, sigma)) / sigma
        x_next = x + derivative * (sigma_next - sigma)

        def improve(x_next: Latents) -> Latents:
            at_end = (x_next - estimate(x_next, sigma_next)) / sigma_next
            return x + (derivative + at_end) / 2 * (sigma_next - sigma)

        return jax.lax.cond(sigma_next > 0, improve, lambda x_next: x_next, x_next), memory


@dataclass(frozen=True)
class Churn(Heun):
    """Stochastic: Karras et al. (2022), Algorithm 2. Each step begins by adding some noise, then is Heun's.

    Attributes:
        gamma: by how much a step raises sigma before it lowers it, relative to sigma: min(S_churn / N, sqrt(2) - 1).
        low: S_tmin, the smallest sigma at which noise is added.
        high: S_tmax, the largest.
        noise: S_noise, the standard deviation of what is added.
    """

    gamma: float = 0.4
    low: float = 0.05
    high: float = 50.0
    noise: float = 1.003

    def step(
        self, x: Latents, memory: tuple[()], sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, tuple[()]]:
        """x + sqrt(raised^2 - sigma^2) noise, and Heun's step from there."""
        gamma = jnp.where((self.low <= sigma) & (sigma <= self.high), self.gamma, 0.0)
        raised = sigma * (1 + gamma)
        fresh = self.noise * normal(key, x)
        x = x + sigma * jnp.sqrt(gamma * (gamma + 2)) * fresh
        return super().step(x, memory, raised, sigma_next, estimate, key)


@dataclass(frozen=True)
class DPMSolverPP2M:
    """Second order, one evaluation a step: DPM-Solver++(2M) of Lu et al. (2022)."""

    def init(self, x: Latents) -> Past:
        return jnp.zeros_like(x), jnp.zeros((), x.dtype)

    def step(
        self, x: Latents, memory: Past, sigma: Sigma, sigma_next: Sigma, estimate: Estimator, key: Array
    ) -> tuple[Latents, Past]:
        """mu(s) is taken to be constant: its value in the middle of the step, extrapolated from the last estimate."""
        mu, (before, sigma_before) = estimate(x, sigma), memory
        h, h_before = _length(sigma, sigma_next), _length(sigma_before, sigma)
        known = (sigma_before > 0) & (sigma_next > 0)
        middle = mu + jnp.where(known, h / (2 * h_before), 0.0) * (mu - before)
        shrink = sigma_next / sigma
        return shrink * x + (1 - shrink) * middle, _remembered((mu, sigma), memory, sigma, sigma_next)


@dataclass(frozen=True)
class ExponentialAdams:
    """Third order, one evaluation a step: the exponential Adams-Bashforth method (Hochbruck and Ostermann, 2010).

    mu(s) is the parabola through the last three estimates, integrated exactly; through fewer in the first two steps,
    which are short of nothing where they begin at noise so large that mu hardly changes.
    """

    def init(self, x: Latents) -> tuple[Past, Past]:
        return (jnp.zeros_like(x), jnp.zeros((), x.dtype)), (jnp.zeros_like(x), jnp.zeros((), x.dtype))

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
        h, h1, h2 = _length(sigma, sigma_next), _length(sigma1, sigma), _length(sigma2, sigma1)
        first = (mu - mu1) / h1
        second = (first - (mu1 - mu2) / h2) / (h1 + h2)
        shrink = sigma_next / sigma
        of_1 = 1 - shrink
        of_s = jnp.where((sigma1 > 0) & (sigma_next > 0), h - of_1, 0.0)
        of_ss = jnp.where((sigma2 > 0) & (sigma_next > 0), h**2 - 2 * (h - of_1), 0.0)
        curved = of_ss + jnp.where(sigma2 > 0, h1 * of_s, 0.0)
        x = shrink * x + of_1 * mu + of_s * first + curved * second
        return x, _remembered(((mu, sigma), memory[0]), memory, sigma, sigma_next)


def _remembered(new: Memory, old: Memory, sigma: Sigma, sigma_next: Sigma) -> Memory:
    """The old memory after a step of no length, between two equal levels: a slope needs estimates that are apart."""
    moved = sigma_next < sigma * (1 - 1e-6)
    return jax.tree.map(lambda new, old: jnp.where(moved, new, old), new, old)


def _length(sigma: Sigma, sigma_next: Sigma) -> Sigma:
    """log(sigma / sigma_next), and 1 where one of them is 0: what depends on it is not used there."""
    known = (sigma > 0) & (sigma_next > 0)
    return jnp.where(known, jnp.log(jnp.where(known, sigma, 1.0) / jnp.where(known, sigma_next, 1.0)), 1.0)
