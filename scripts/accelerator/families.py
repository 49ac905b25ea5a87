"""Programs of published models of any family, with random weights: a step of DGS, encoding a video, decoding it.

They are those that `nvs-jax plan` counts (`nvs_jax.planning.programs`), with numbers in place of their shapes.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from nvs_jax.diffusion.levels import make_sigmas
from nvs_jax.models.weights import Weights
from nvs_jax.planning.programs import AbstractProgram, Model, build_program
from nvs_jax.planning.published import published_model, usual_request
from nvs_jax.planning.request import Program, Request
from nvs_jax.planning.work import count_work
from scripts.accelerator.device import memory, normal, rates
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import Size
from scripts.accelerator.small import small
from scripts.accelerator.timing import time_of
from scripts.accelerator.weights import draw, quick_weights

STEPS = 2
"""Of the solver, in the program that is timed."""


def wan_t2v(size: Size) -> Iterator[Row]:
    """A step of Wan2.1 T2V-1.3B."""
    yield from _step("wan2_1_t2v_1_3b", size)


def wan_vae(size: Size) -> Iterator[Row]:
    """Wan2.1's VAE."""
    yield from _codec("wan2_1_t2v_1_3b", size)


def wan_vace(size: Size) -> Iterator[Row]:
    """A step of Wan2.1 VACE-1.3B."""
    yield from _step("wan2_1_vace_1_3b", size)


def wan_ti2v(size: Size) -> Iterator[Row]:
    """A step of Wan2.2 TI2V-5B."""
    yield from _step("wan2_2_ti2v_5b", size)


def wan_i2v(size: Size) -> Iterator[Row]:
    """A step of Wan2.1 I2V-14B."""
    yield from _step("wan2_1_i2v_14b_480p", size)


def model_and_request(name: str, size: Size) -> tuple[Model, Request]:
    """A published model and the video it was made for; at toy size as small as they can be."""
    model = published_model(name)
    if size.name == "full":
        return model, replace(usual_request(model), dtype=size.dtype)
    least = 1 + model.told(Request()).lattice.frame_step
    return small(model), Request(frames=least, height=64, width=64, dtype=size.dtype)


@dataclass(frozen=True)
class _Filled:
    """A program, and what it is called with.

    Attributes:
        program: of the device.
        arguments: by name.
        tflop: of its products, by their shapes.
        seconds: that compiling took.
    """

    program: jax.stages.Compiled
    arguments: dict[str, Any]
    tflop: float
    seconds: float

    def __call__(self) -> jax.Array:
        return self.program(**self.arguments)

    def figures(self, seconds: float, times: int = 1) -> dict[str, float]:
        """What is known of each of so many like parts that it has, of which one takes so many seconds."""
        tflop, peak, used = self.tflop / times, memory(), self.program.memory_analysis()
        figures = {"ms": 1e3 * seconds, "TFLOP": tflop, **rates(tflop, seconds)}
        figures |= {"GB at most": peak} if peak else {}
        figures |= {"GB, temporary": used.temp_size_in_bytes / 1e9} if used else {}
        return figures | {"compile s": self.seconds}


def _step(name: str, size: Size) -> Iterator[Row]:
    model, request = model_and_request(name, size)
    program = build_program("sample", model, request)
    shorter = {"sigmas": jax.ShapeDtypeStruct((STEPS + 1,), jnp.float32)}
    program = replace(program, arguments=program.arguments | shorter)
    schedule = model.told(request).defaults.schedule
    middle = schedule.steps // 2
    levels = make_sigmas(schedule)[middle : middle + STEPS + 1]
    compiled = _filled(program, {"weights": _weights(model, "sample", size), "sigmas": levels})

    def advance() -> jax.Array:
        compiled.arguments["latents"] = compiled()  # whose memory is used again
        return compiled.arguments["latents"]

    seconds = time_of(advance, jax.block_until_ready, size.few) / STEPS
    finite = bool(jnp.isfinite(compiled.arguments["latents"]).all())
    note = "" if finite else "latents are not finite"
    yield Row(f"{_title(name, request)}, a step of DGS", compiled.figures(seconds, STEPS), note, not finite)


def _codec(name: str, size: Size) -> Iterator[Row]:
    model, request = model_and_request(name, size)
    weights = _weights(model, "decode", size)
    runs: tuple[tuple[Program, str, Request], ...] = (
        ("encode", "encode", request),
        ("decode", "decode, bfloat16", replace(request, vae_dtype="bfloat16")),
        ("decode", "decode, float32", request),
    )  # in this order, since the most memory so far only grows
    for which, what, asked in runs:
        compiled = _filled(build_program(which, model, asked), {"weights": weights})
        seconds = time_of(compiled, jax.block_until_ready, size.few)
        yield Row(f"{_title(name, request)}, {what}", compiled.figures(seconds))


def _filled(program: AbstractProgram, given: dict[str, Any]) -> _Filled:
    """The program for these arguments, the others being random."""
    traced = jax.jit(program.function, donate_argnames=program.donated).trace(**program.arguments)
    begun = time.perf_counter()
    compiled = traced.lower().compile()
    seconds = time.perf_counter() - begun
    arguments = _random({name: shapes for name, shapes in program.arguments.items() if name not in given}) | given
    return _Filled(compiled, arguments, count_work(traced.jaxpr).flops / 1e12, seconds)


def _random(shapes: dict[str, Any]) -> dict[str, Any]:
    """Arrays of the shapes of a pytree, no two alike: N(0, 1), or where yes or no is asked for, as often as not."""
    leaves, structure = jax.tree.flatten(shapes)

    def of(shape: jax.ShapeDtypeStruct, seed: int) -> jax.Array:
        if shape.dtype == bool:
            return normal(*shape.shape, seed=seed) > 0
        return normal(*shape.shape, dtype=str(shape.dtype), seed=seed)

    return structure.unflatten([of(shape, seed) for seed, shape in enumerate(leaves)])


def _weights(model: Model, program: Program, size: Size) -> Weights:
    component = model.family.uses[program]
    dtype = model.family.held_dtype(component, size.dtype, None)
    return quick_weights(model.module(component), str(dtype), draw(size.tile))


def _title(name: str, request: Request) -> str:
    return f"{name}, {request.frames} frames of {request.height}x{request.width}"
