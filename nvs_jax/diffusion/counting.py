"""How often a run asks the network: counted in a run of its own code around a stand-in, not assumed of its kind."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.problem import Problem, begin
from nvs_jax.diffusion.sampler import step
from nvs_jax.diffusion.solver import Solver
from nvs_jax.windows import Window


@dataclass
class Evaluations:
    """How often a run asks the network.

    Attributes:
        estimates: for x0 as the sampler takes it, under classifier-free guidance if that is on.
        probes: for the single conditional x0 of a correction; a window of the latents counts as one.
    """

    estimates: int = 0
    probes: int = 0


def count_evaluations(problem: Problem) -> Evaluations:
    """The evaluations of a whole run, in which the network's x0 is half of what it is given.

    Args:
        problem: as it is solved; of its noise the shape alone matters, its denoiser not at all.

    >>> from nvs_jax.diffusion import Heun, Unguided, closed_form_trust, karras_sigmas
    >>> noise, trust = jnp.ones((1, 1, 1, 1, 1)), closed_form_trust(jnp.zeros(1), 1.0)
    >>> count_evaluations(Problem(_Counting(), Unguided(), trust, noise, karras_sigmas(10), Heun()))
    Evaluations(estimates=19, probes=0)
    """
    counting = _Counting()
    sigmas = jnp.asarray(problem.sigmas)
    with jax.disable_jit():  # of a condition's branches only the one that is taken counts, and of a loop every round
        carry = begin(replace(problem, mesh=None))
        for sigma, sigma_next in itertools.pairwise(sigmas):
            carry = step(
                carry,
                sigma,
                sigma_next,
                denoiser=counting,
                guidance=problem.guidance,
                trust=problem.trust,
                solver=problem.solver,
            )
    return counting.made


def estimates_in(solver: Solver, sigmas: Float[Array, "levels"]) -> int:
    """How many guided estimates a run makes over these noise levels.

    >>> from nvs_jax.diffusion import Euler, Heun, karras_sigmas
    >>> [estimates_in(solver, karras_sigmas(10)) for solver in (Euler(), Heun())]
    [10, 19]
    """
    counting, x, key = _Counting(), jnp.ones((1, 1, 1, 1, 1)), jax.random.key(0)
    memory = solver.init(x)
    with jax.disable_jit():
        for sigma, sigma_next in itertools.pairwise(sigmas):
            x, memory = solver.step(x, memory, sigma, sigma_next, counting, key)
    return counting.made.estimates


@dataclass(frozen=True)
class _Counting:
    """A stand-in for a network."""

    made: Evaluations = field(default_factory=Evaluations)

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        self.made.estimates += 1
        return 0.5 * x

    def probe(self, x: Latents, sigma: Sigma) -> Latents:
        self.made.probes += 1
        return 0.5 * x

    def window(self, window: Window) -> Any:
        return self
