"""A run as one compiled program, and what it costs: counted in it, not assumed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from nvs_jax.diffusion import Problem, sample
from nvs_jax.diffusion.counting import count_evaluations
from nvs_jax.planning.work import count_work
from nvs_jax.sharding import use


@dataclass(frozen=True)
class Program:
    """A whole run, compiled.

    Attributes:
        run: returns the latents when they are there.
        compile_s: seconds it took to trace and compile.
        memory_mb: arguments, results and temporaries, of one device; None where the compiler does not say.
    """

    run: Callable[[], Any]
    compile_s: float
    memory_mb: float | None


@dataclass(frozen=True)
class Cost:
    """Of a whole run.

    Attributes:
        evaluations: passes of one branch through the network: of an estimate as many as it has branches.
        tflop: of convolutions and matrix products, from the program's shapes.
    """

    evaluations: int
    tflop: float


def compile_run(problem: Problem) -> Program:
    """All steps in one program."""

    def whole_run(denoiser: Any, guidance: Any, trust: Any, noise: jax.Array, sigmas: jax.Array) -> jax.Array:
        return sample(denoiser, guidance, trust, noise, sigmas, problem.solver)

    leaves, tree = jax.tree.flatten((problem.denoiser, problem.guidance, problem.trust, problem.noise, problem.sigmas))
    begun = time.perf_counter()
    with use(problem.mesh):
        # A function of arrays: JAX puts other things into a pytree to describe a program.
        compiled = jax.jit(lambda leaves: whole_run(*jax.tree.unflatten(tree, leaves))).lower(leaves).compile()
    taken = time.perf_counter() - begun
    memory = compiled.memory_analysis()
    used = memory and memory.argument_size_in_bytes + memory.temp_size_in_bytes + memory.output_size_in_bytes
    return Program(lambda: jax.block_until_ready(compiled(leaves)), taken, used and used / 2**20)


def cost_of(problem: Problem) -> Cost:
    """Evaluations are counted in a run around a stand-in, operations in the shapes of an estimate and of a probe."""
    made, x, sigma = count_evaluations(problem), problem.noise, problem.sigmas[0]
    w, key = problem.trust(sigma), jax.random.key(0)
    estimate = _flops(lambda d, x: d(x, sigma), problem.denoiser, x)
    probe = _flops(lambda d, x: d.probe(x, sigma), problem.denoiser, x)
    correction = _flops(lambda d, x: problem.guidance.correct(x, sigma, w, d, key), problem.denoiser, x)
    steps = len(problem.sigmas) - 1
    branches = round(estimate / probe)
    return Cost(made.estimates * branches + made.probes, (made.estimates * estimate + steps * correction) / 1e12)


def _flops(function: Callable[..., Any], *arguments: Any) -> float:
    leaves, tree = jax.tree.flatten(arguments)
    traced = jax.jit(lambda leaves: function(*jax.tree.unflatten(tree, leaves))).trace(leaves)
    return count_work(traced.jaxpr).flops


def timed_in_turn(
    functions: Sequence[Callable[[], object] | None], repeats: int
) -> tuple[list[object], list[list[float]]]:
    """What each returns, and seconds of every call, called in turn after a warm-up; none of what cannot be called."""
    results: list[object] = [None for _ in functions]
    seconds: list[list[float]] = [[] for _ in functions]
    for repeat in range(repeats + 1):
        for index, function in enumerate(functions):
            if function is not None:
                begun = time.perf_counter()
                results[index] = function()
                if repeat:
                    seconds[index].append(time.perf_counter() - begun)
    return results, seconds
