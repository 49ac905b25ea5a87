"""A render up to its first step as one pytree, and how it is solved: a few steps to a program."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np
from jax.core import Tracer
from jax.sharding import Mesh
from jaxtyping import Array, Float

from nvs_jax.diffusion.contracts import Denoiser, Guidance, Trust
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.diffusion.sampler import Carry, init, run_steps, sample
from nvs_jax.diffusion.solver import Solver
from nvs_jax.diffusion.solvers.euler import Euler
from nvs_jax.pytree import pytree, static
from nvs_jax.sharding import of_first_process, place, use

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total) whenever a part of a stage is done: "warp", "encode", "sample", "decode"."""


@runtime_checkable
class States(Protocol):
    """Where a sampler keeps its states between programs, so that a run can go on after being killed."""

    def restore(self, fresh: Carry) -> Carry:
        """The newest state that was kept, or `fresh`, the one before the first step."""
        ...

    def save(self, carry: Carry) -> None:
        """Keep a state; it must be on disk, or the host, when this returns."""
        ...


@pytree
class Problem:
    """Everything the sampler needs, on the device: a render up to its first step."""

    denoiser: Denoiser
    guidance: Guidance
    trust: Trust
    noise: Float[Array, "b f h w c"]
    """One video's as `prepare` makes it; b to have as many videos of the same views."""
    sigmas: Float[Array, "levels"]
    solver: Solver = static(default=Euler())
    key: Keys | None = None
    """Of a stochastic solver or guidance: one, or one a video."""
    mesh: Mesh | None = static(default=None)
    """The devices that all of it is on; None: the default device."""


def solve(problem: Problem, report: Report | None = None, states: States | None = None) -> Float[Array, "b f h w c"]:
    """Clean latents, a fixed number of steps to a program: between programs progress is reported and kept.

    Under `jax.grad` or `jax.jit` it is one program, whose gradient keeps the latents of about 2 sqrt(steps) steps.
    """
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(problem)):
        parts = problem.denoiser, problem.guidance, problem.trust, problem.noise, problem.sigmas
        with use(problem.mesh):
            return sample(*parts, problem.solver, problem.key, checkpoint=True)
    steps = len(problem.sigmas) - 1
    length = segment_length(steps)
    carry = begin(problem)
    if states is not None:
        carry = states.restore(carry)
    carry = place(of_first_process(carry, problem.mesh), problem.mesh)
    taken = int(carry.step)
    if taken:
        tell_done(report, carry, "sample", taken, steps)
    for done in range(taken, steps, length):
        sigmas = problem.sigmas[done : done + length + 1]
        with use(problem.mesh):
            carry = run_steps(carry, sigmas, problem.denoiser, problem.guidance, problem.trust, problem.solver)
        tell_done(report, carry, "sample", done + length, steps)
        if states is not None:
            states.save(carry)
    return carry.x


def begin(problem: Problem) -> Carry:
    """Before the first step: latents of the first noise level's size."""
    # On the host, where another number of levels is no other program.
    return init(problem.noise * np.sqrt(np.asarray(problem.sigmas)[0] ** 2 + 1), problem.solver, problem.key)


def segment_length(steps: int) -> int:
    """Steps to a program: the largest divisor of `steps` that leaves at least five programs, or 1.

    >>> [segment_length(n) for n in (4, 25, 50, 100, 23)]
    [1, 5, 10, 20, 1]
    """
    return max(n for n in range(1, max(1, steps // 5) + 1) if steps % n == 0)


def tell_done(report: Report | None, result: Any, stage: str, done: int = 1, total: int = 1) -> None:
    """Wait for `result` and say that it is there; where nobody listens, do not wait."""
    if report is not None:
        jax.block_until_ready(result)
        report(stage, done, total)
