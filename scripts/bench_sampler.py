"""Times whole sampling runs: every solver with every guidance at every number of steps, on whatever device JAX finds.

    python scripts/bench_sampler.py                                   a small UNet with random weights
    python scripts/bench_sampler.py --weights FOLDER --against torch  and diffusers' UNet in PyTorch beside it

All runs are compiled first and then timed in turn, so that a drifting machine is fair to all; the median counts. An
evaluation is one pass of one branch through the network: classifier-free guidance makes two of an estimate, posterior
guidance adds one to a step. FLOPs are XLA's count (cost_analysis) of an estimate and of a correction, times how often
each is made; a fused kernel that XLA cannot look into is not counted. Memory is the compiled program's: arguments,
results and temporaries. PyTorch's side is the release's loop, Euler's steps around diffusers' UNet, with the backward
pass that the release runs for Post; ours needs none (see `nvs_jax.diffusion.guidance`).
"""

import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
import tyro

import nvs_jax
from nvs_jax.diffusion import Guidance, closed_form_trust, karras_sigmas, sample
from nvs_jax.diffusion.assemble import make_guidance, make_solver
from nvs_jax.diffusion.counting import estimates_in
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.errors import InputError
from nvs_jax.models.svd.denoiser import SVDDenoiser
from nvs_jax.models.svd.networks import as_svd
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.weights import random_weights
from nvs_jax.settings import GuidanceSettings, Method, SolverKind, SolverSettings
from nvs_jax.settings.jobs import Dtype
from scripts.accelerator.sizes import PEAKS, SMALL
from scripts.sampler_rows import About, Row, finished, markdown, write

GuidanceName = Literal[Method, "post-full"]


@dataclass(frozen=True)
class Case:
    """A row to be, and what is timed for it; None where it cannot be run."""

    row: Row
    function: Callable[[], object] | None


@dataclass(frozen=True)
class Options:
    """Times whole sampling runs: every solver with every guidance at every number of steps."""

    weights: str | None = None
    """As in `nvs_jax.load`; a small UNet with random weights without."""
    solvers: tuple[SolverKind, ...] = get_args(SolverKind)
    """To compare."""
    guidance: tuple[GuidanceName, ...] = ("none", "dgs", "post")
    """To compare; post-full differentiates through the network."""
    steps: tuple[int, ...] = (10, 25)
    """To compare."""
    frames: int = 8
    """Of the video."""
    height: int = 16
    """Latent rows."""
    width: int = 16
    """Latent columns."""
    dtype: Dtype | None = None
    """Of the UNet; the stored one without."""
    repeats: int = 3
    """Timed runs of each; the median counts."""
    peak: float | None = None
    """TFLOP/s that the device could do, where it is not known by its name."""
    against: Literal["nothing", "torch"] = "nothing"
    """torch also times the release's loop around diffusers' UNet, as it is and compiled."""
    out: Path = Path("out/bench_sampler")
    """Folder for bench.md, bench.json and bench.png."""


def main(options: Options) -> None:
    """Print a table, and write it with a picture and the same as JSON.

    Raises:
        InputError: PyTorch's side lacks its weights.
    """
    weights, torch = options.weights, options.against == "torch"
    if torch and (weights is None or options.dtype not in (None, "float32")):
        raise InputError("--against torch needs --weights in diffusers' layout, and float32")
    rng = np.random.default_rng(0)
    size = options.frames, options.height, options.width
    denoiser = make_denoiser(weights, options.dtype, size, rng)
    noise, target = (rng.standard_normal((1, *size, denoiser.config.out_channels), np.float32) for _ in range(2))
    device = jax.devices()[0].device_kind
    peak = options.peak or next((p for name, p in PEAKS.items() if name in device), None)
    about = About(
        device=f"{device}, jax {jax.__version__}, {' x '.join(map(str, size))} latents",
        devices=jax.device_count(),
        dtype=str(denoiser.weights["conv_in.weight"].dtype),
        weights=weights or "random",
        repeats=options.repeats,
    )
    rows = []
    for kind, count in itertools.product(options.guidance, options.steps):
        print(f"compiling {kind}, {count} steps", file=sys.stderr)
        rule = named_guidance(kind, target, denoiser.config.stride)
        made = [jax_case(denoiser, rule, name, kind, count, noise) for name in options.solvers]
        if torch and kind != "post-full":
            made += torch_cases(Path(weights or "") / "unet", denoiser, kind, count, noise, target)
        seconds = timed_in_turn([case.function for case in made], options.repeats)
        rows += [finished(case.row, taken, peak) for case, taken in zip(made, seconds, strict=True)]
        write(options.out, about, rows)  # what is done so far
    print(markdown(about, rows))


def make_denoiser(weights: str | None, dtype: Any, size: tuple[int, int, int], rng: np.random.Generator) -> SVDDenoiser:
    """SVD, or a small UNet, told random conditions."""
    if weights is None:
        config, values = SMALL.unet, random_weights(UNetSpatioTemporal(SMALL.unet), 0)
        values = {name: value.astype(dtype or value.dtype) for name, value in values.items()}
    else:
        networks = as_svd(nvs_jax.load(weights, dtype=dtype).model.networks)
        config, values = networks.unet_config, networks.unet
    frames, height, width = size
    return SVDDenoiser(
        weights=values,
        image_latent=jnp.asarray(rng.standard_normal((1, height, width, config.out_channels), np.float32)),
        embedding=jnp.asarray(rng.standard_normal((1, config.cross_attention_dim[0]), np.float32)),
        time_ids=jnp.array([6, 127, 0.02]),
        guidance_scale=jnp.linspace(1, 3, frames),
        config=config,
    )


def named_guidance(name: str, target: np.ndarray, stride: int) -> Guidance:
    """The guidance of the table, towards random views without holes."""
    method, _, gradient = name.partition("-")
    settings = GuidanceSettings(method=method, clamp=0.2, gradient=gradient or "skip")  # pyright: ignore[reportArgumentType]
    return make_guidance(settings, WarpedViews(jnp.asarray(target), jnp.zeros(target.shape[:-1], bool)), stride)


def jax_case(
    denoiser: SVDDenoiser, guidance: Guidance, solver_name: SolverKind, kind: str, steps: int, noise: np.ndarray
) -> Case:
    """Compile a run, and say what it takes."""
    solver, sigmas = make_solver(SolverSettings(solver_name), steps), karras_sigmas(steps)
    trust = closed_form_trust(jnp.arange(float(noise.shape[1])), sigmas[0])
    arguments = denoiser, guidance, trust, jnp.asarray(noise), sigmas

    def whole_run(denoiser: Any, guidance: Any, trust: Any, noise: jax.Array, sigmas: jax.Array) -> jax.Array:
        return sample(denoiser, guidance, trust, noise, sigmas, solver)

    begun = time.perf_counter()
    lowered, leaves = lower(whole_run, *arguments)
    program = lowered.compile()
    compiled = time.perf_counter() - begun
    estimates, corrections = estimates_in(solver, sigmas), steps * kind.startswith("post")
    x, sigma, w = jnp.asarray(noise), sigmas[0], trust(sigmas[0])
    flops = estimates * count_flops(lambda d, x: d(x, sigma), denoiser, x)
    if corrections:
        flops += corrections * count_flops(
            lambda d, x: guidance.correct(x, sigma, w, d, jax.random.key(0)), denoiser, x
        )
    memory = program.memory_analysis()
    used = memory and memory.argument_size_in_bytes + memory.temp_size_in_bytes + memory.output_size_in_bytes
    row = Row(
        side="nvs-jax",
        solver=solver_name,
        guidance=kind,
        steps=steps,
        evaluations=2 * estimates + corrections,
        compile_s=compiled,
        tflop=flops / 1e12,
        memory_mb=used and used / 2**20,
    )
    return Case(row, lambda: jax.block_until_ready(program(leaves)))


def count_flops(function: Callable[..., Any], *arguments: Any) -> float:
    """XLA's count for a function without loops."""
    cost = lower(function, *arguments)[0].cost_analysis()
    return cost["flops"] if cost else float("nan")


def lower(function: Callable[..., Any], *arguments: Any) -> tuple[jax.stages.Lowered, list[Any]]:
    """A function of the arguments' arrays, and those: JAX puts other things into a pytree to describe a program."""
    leaves, tree = jax.tree.flatten(arguments)
    return jax.jit(lambda leaves: function(*jax.tree.unflatten(tree, leaves))).lower(leaves), leaves


def torch_cases(
    folder: Path, denoiser: SVDDenoiser, kind: str, steps: int, noise: np.ndarray, target: np.ndarray
) -> list[Case]:
    """The same run in PyTorch, as it is and compiled."""
    import torch
    from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel

    from scripts.torch_loop import LoopInputs, TorchLoop

    told = np.array(denoiser.image_latent), np.array(denoiser.embedding)
    inputs = LoopInputs(noise, target, *told, np.asarray(karras_sigmas(steps)))
    evaluations, cases = steps * (3 if kind == "post" else 2), []
    for compiled in (False, True):
        unet = UNetSpatioTemporalConditionModel.from_pretrained(folder).eval()
        loop = TorchLoop(torch.compile(unet) if compiled else unet, inputs, kind)
        row = Row("PyTorch, compiled" if compiled else "PyTorch", "euler", kind, steps, evaluations)
        function, begun = loop, time.perf_counter()
        try:
            loop.step(0)
        except Exception as error:  # torch.compile may find no compiler, or fail in any way of its own
            reason = " ".join(str(error).split())[:80]
            row, function = replace(row, note=f"{type(error).__name__}: {reason}"), None
        else:
            row = replace(row, compile_s=time.perf_counter() - begun if compiled else None)
        cases.append(Case(row, function))
    return cases


def timed_in_turn(functions: Sequence[Callable[[], object] | None], repeats: int) -> list[list[float]]:
    """Seconds of every call of each, called in turn after a warm-up; none of what cannot be called."""
    seconds: list[list[float]] = [[] for _ in functions]
    for repeat in range(repeats + 1):
        for function, taken in zip(functions, seconds, strict=True):
            if function is not None:
                begun = time.perf_counter()
                function()
                if repeat:
                    taken.append(time.perf_counter() - begun)
    return seconds


if __name__ == "__main__":
    jax.config.update("jax_enable_compilation_cache", False)  # the time it takes is part of the result
    try:
        main(tyro.cli(Options, description=__doc__))
    except InputError as error:
        raise SystemExit(f"error: {error}") from None
