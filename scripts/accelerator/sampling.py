"""Steps of the sampler, in the program that the pipeline runs them in."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.diffusion import run_steps
from nvs_jax.diffusion.assemble import make_guidance, make_solver, make_trust
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.diffusion.levels import make_sigmas
from nvs_jax.diffusion.problem import Problem, begin, segment_length
from nvs_jax.models.attention.library import runs_cudnn
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.model import SVD, Seen
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.models.weights import Weights
from nvs_jax.pipeline import override
from nvs_jax.planning.hlo import parse
from nvs_jax.planning.kernels import kernels, total
from nvs_jax.planning.work import count_work
from nvs_jax.settings import Guided, RenderSettings
from scripts.accelerator.device import from_cache, memory, normal, rates
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import Size
from scripts.accelerator.weights import draw, quick_weights


@dataclass
class Segment:
    """A program of several steps, and where its run stands.

    Attributes:
        program: compiled.
        problem: what it works on.
        length: steps that it makes.
        compile_s: seconds that compiling took.
        cached: whether it was found compiled.
        tflop: of a step.
        carry: the state it goes on from; its memory is used again.
        done: steps.
    """

    program: jax.stages.Compiled
    problem: Problem
    length: int
    compile_s: float
    cached: bool
    tflop: float
    carry: Any = None
    done: int = field(default=0)

    def __call__(self) -> float:
        """The next steps of a run, or the first of a new one; the seconds they take."""
        problem = self.problem
        if self.carry is None or self.done == len(problem.sigmas) - 1:
            self.carry, self.done = begin(problem), 0
        sigmas = problem.sigmas[self.done : self.done + self.length + 1]
        jax.block_until_ready((self.carry, sigmas))
        begun = time.perf_counter()
        self.carry = jax.block_until_ready(
            self.program(self.carry, sigmas, problem.denoiser, problem.guidance, problem.trust)
        )
        self.done += self.length
        return time.perf_counter() - begun


def dgs(size: Size) -> Iterator[Row]:
    """A step of DGS."""
    yield from _step(size, "dgs")


def post(size: Size) -> Iterator[Row]:
    """A step of Post."""
    yield from _step(size, "post")


def _step(size: Size, method: Guided) -> Iterator[Row]:
    segment = prepared(size, method)
    compiling = {"compile s": segment.compile_s}
    yield Row(f"{method}, program of {segment.length} steps", compiling, "from the cache" if segment.cached else "")
    for _ in range(size.warm):
        segment()
    segment.carry = None  # five programs of five steps are a run of the sampler
    taken = [segment() for _ in range(max(size.runs, size.steps // segment.length))]
    step = statistics.median(taken) / segment.length
    peak, used = memory(), segment.program.memory_analysis()
    figures = {"ms": 1e3 * step, "TFLOP": segment.tflop, **rates(segment.tflop, step)}
    figures |= {"GB at most": peak} if peak else {}
    figures |= {"GB, temporary": used.temp_size_in_bytes / 1e9} if used else {}
    finite = bool(jnp.isfinite(segment.carry.x).all())
    yield Row(f"{method}, a step", figures, "" if finite else "latents are not finite", not finite)
    whole = sum(taken[: size.steps // segment.length])
    yield Row(f"{method}, sampling of {size.steps} steps", {"s": whole})
    yield Row(f"{method}, kernels of a step", _targets(segment))


@cache
def prepared(size: Size, method: Guided) -> Segment:
    """The program; compiled once in a process."""
    problem = make_problem(size, method)
    length = segment_length(size.steps)
    sigmas = problem.sigmas[: length + 1]
    traced = run_steps.trace(begin(problem), sigmas, problem.denoiser, problem.guidance, problem.trust, problem.solver)
    hits, begun = from_cache(), time.perf_counter()
    program = traced.lower().compile()
    seconds = time.perf_counter() - begun
    tflop = count_work(traced.jaxpr).flops / 1e12 / length
    return Segment(program, problem, length, seconds, from_cache() > hits, tflop)


def make_problem(size: Size, method: Guided) -> Problem:
    """What `Pipeline.prepare` makes, of random latents: the same program, without the other networks."""
    settings = override(RenderSettings(), method, size.steps)
    unet = quick_weights(build(size.networks.unet), size.dtype, draw(size.tile))
    model = SVD(networks(size, unet=unet)).told(settings)
    latents = size.frames, *size.cells, size.networks.vae.latent_channels
    key = jax.random.key(0)
    hole = np.random.default_rng(0).random((1, *latents[:-1])) < 0.25
    hole[:, 0] = False
    views = WarpedViews(normal(1, *latents), jnp.asarray(hole))
    sigmas = make_sigmas(settings.schedule)
    embedding = normal(1, size.networks.unet.cross_attention_dim[0])
    return Problem(
        denoiser=model.denoiser(Seen(normal(1, *latents[1:]), embedding), size.frames),
        guidance=make_guidance(settings.guidance, views, model.lattice.cells),
        trust=make_trust(settings.trust, sigmas, np.arange(size.frames, dtype=np.float64), model.sigma_scale),
        noise=normal(1, *latents, seed=1),
        sigmas=sigmas,
        solver=make_solver(settings.solver, settings.schedule.steps),
        key=jax.random.fold_in(key, 2),
    )


def networks(
    size: Size, unet: Weights | None = None, vae: Weights | None = None, image_encoder: Weights | None = None
) -> SVDNetworks:
    """Networks of this size, with the weights that are used."""
    of = size.networks
    return SVDNetworks(of.unet, unet or {}, of.vae, vae or {}, of.image_encoder, image_encoder or {})


def _targets(segment: Segment) -> dict[str, float]:
    """How many kernels a step has, by whose they are; and what `nvs_jax.planning.kernels` takes for them."""
    module = parse(segment.program.as_text() or "")
    counts = Counter[str]()
    for instruction, _, times in module.executed():
        counts[owner(instruction.opcode, instruction.target, instruction.attributes)] += times
    counts.pop("", None)
    figures = {name: count / segment.length for name, count in sorted(counts.items())}
    if runs_cudnn():
        figures["ms, modelled for an H100"] = 1e3 * total(list(kernels(module)), segment.length).seconds
    return figures


def owner(opcode: str, target: str, attributes: str) -> str:
    """Whose kernel an instruction is; "" for none.

    >>> owner("custom-call", "__cublas$lt$matmul", ""), owner("parameter", "", "")
    ('cublas', '')
    """
    for library in ("cublas", "cudnn"):
        if library in target:
            return library
    if "__triton" in target + attributes:
        return "triton"
    if opcode == "custom-call":
        return target or "custom-call"
    return opcode if opcode in ("fusion", "convolution", "dot", "copy", "sort") else ""
