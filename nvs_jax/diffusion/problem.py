"""A render up to its first step as one pytree, and how it is solved: a few steps to a program."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.sharding import Mesh
from jaxtyping import Array, Float

from nvs_jax.diffusion.combinators.warm_start import noised
from nvs_jax.diffusion.contracts import Denoiser, Guidance, Trust
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.diffusion.recording import Record
from nvs_jax.diffusion.sampler import Carry, init, init_records, is_traced, run_steps, run_traced
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
    start: Float[Array, "#b f h w c"] | None = None
    """Clean latents that the noise is added to, at the first level; None: it begins from noise alone."""


def solve(
    problem: Problem, report: Report | None = None, states: States | None = None, length: int | None = None
) -> Float[Array, "b f h w c"]:
    """Clean latents, a fixed number of steps to a program: between programs progress is reported and kept.

    Under `jax.grad`, `jax.jit` or `jax.vmap` it is one program, whose gradient keeps the latents of about
    2 sqrt(steps) steps.

    Args:
        problem: of one video or of several.
        report: called after every program.
        states: where states are kept between programs, and what the run begins from.
        length: steps to a program; where it divides their number there is one program. None: see `segment_length`.
    """
    return _run(problem, None, report, states, length).x


def solve_and_record(
    problem: Problem, record: Record, report: Report | None = None, states: States | None = None
) -> tuple[Float[Array, "b f h w c"], Any]:
    """Clean latents, and what `record` made of every step, stacked along a first axis, on the device.

    It is made inside the program and goes along with the states that are kept; a run that was begun without it, or
    with another record, begins again.

    Args:
        problem: of one video or of several.
        record: of a `StepInfo` whatever is to be recorded: a pytree of arrays.
        report: as in `solve`.
        states: as in `solve`.

    Raises:
        InputError: the solver makes no estimate.
    """
    carry = _run(problem, record, report, states)
    return carry.x, carry.records


def _run(
    problem: Problem,
    record: Record | None = None,
    report: Report | None = None,
    states: States | None = None,
    length: int | None = None,
) -> Carry:
    """The carry after the last step."""
    steps = len(problem.sigmas) - 1
    parts = problem.denoiser, problem.guidance, problem.trust, problem.solver
    if is_traced(problem):
        with use(problem.mesh):
            return run_traced(begin(problem), problem.sigmas, *parts, True, record)
    carry = begin(problem)
    if record is not None:
        carry = init_records(carry, problem.sigmas, *parts, record)
    if states is not None:
        carry = states.restore(carry)
    carry = place(of_first_process(carry, problem.mesh), problem.mesh)
    taken, length = int(carry.step), length or segment_length(steps)
    if taken:
        tell_done(report, carry, "sample", taken, steps)
    # Cut on the host, where another place to cut is no other program.
    sigmas = np.asarray(problem.sigmas)
    for done in range(taken, steps, length):
        here = place(jnp.asarray(sigmas[done : done + length + 1]), problem.mesh)
        with use(problem.mesh):
            carry = run_steps(carry, here, *parts, False, record)
        tell_done(report, carry, "sample", min(done + length, steps), steps)
        if states is not None:
            states.save(carry)
    return carry


def begin(problem: Problem) -> Carry:
    """Before the first step: latents of the first noise level's size, or the start with so much noise."""
    if problem.start is not None:
        return init(noised(problem.start, problem.sigmas[0], problem.noise), problem.solver, problem.key)
    # On the host, where another number of levels is no other program.
    traced = isinstance(problem.sigmas, Tracer)
    scale = jnp.sqrt(problem.sigmas[0] ** 2 + 1) if traced else np.sqrt(np.asarray(problem.sigmas)[0] ** 2 + 1)
    return init(problem.noise * scale, problem.solver, problem.key)


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
