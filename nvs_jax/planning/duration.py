"""How long a render takes: a roofline from counted work, and what share of it to expect. No JAX here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nvs_jax.planning.devices import Device, default_mesh
from nvs_jax.planning.request import PROGRAMS, Program, Request
from nvs_jax.planning.roofline import RATES, Roofline
from nvs_jax.planning.table import Entry

NARROW = 1.84
"""How many times as fast a VAE decodes in bfloat16 on an H200, SVD's and Wan's alike: docs/accelerators.md."""
Reached = Mapping[str, float]
"""Of the roofline, what each program of a family was measured to reach: `Family.reached`."""


@dataclass(frozen=True)
class Stage:
    """One program of a render, on each chip.

    Attributes:
        program: which.
        times: how often it runs; of sampling, a step.
        least: seconds of one run by the roofline.
        reached: the share of it that is expected.
    """

    program: Program
    times: int
    least: Roofline
    reached: float

    @property
    def at_least(self) -> float:
        """Seconds of all its runs, if everything were perfect."""
        return self.times * self.least.total

    @property
    def expected(self) -> float:
        """Seconds of all its runs, if a chip reaches the share that was measured on another."""
        return self.at_least / self.reached


def stages(
    entries: Sequence[Entry], device: Device, request: Request, runs: Mapping[Program, int], reached: Reached
) -> list[Stage]:
    """Every program of a render with its time; empty where the work of one of them is not known.

    Work is that of the table's programs for one chip, in proportion to the pixels of all frames (attention to the
    square of those that see each other), divided as docs/sharding.md divides it; what chips send each other is that of
    the nearest smaller number of chips.

    Args:
        entries: of the table.
        device: what it runs on.
        request: sizes and settings.
        runs: how often each of the model's programs runs.
        reached: by the model's programs.
    """
    known = {entry.program for entry in entries}
    programs: list[Program] = [program for program in PROGRAMS if program == "sample" or program in known]
    found: list[Stage] = []
    for program in programs:
        least = _least(entries, device, request, program)
        if least is None:
            return []
        found.append(Stage(program, runs[program], least, _reached(program, device, request, reached)))
    return found


def _reached(program: Program, device: Device, request: Request, reached: Reached) -> float:
    # A TPU's products take bfloat16 in any case.
    narrow = device.kind == "gpu" and program == "decode" and request.vae_dtype == "bfloat16"
    return reached[program] * (NARROW if narrow else 1)


def _least(entries: Sequence[Entry], device: Device, request: Request, program: Program) -> Roofline | None:
    counted = [entry for entry in entries if entry.program == program and entry.products]
    alone = _first([entry for entry in counted if entry.chips == 1], request, program)
    if alone is None:
        return None
    rates, share = RATES[device.name], _share(program, request, device.chips)
    area = request.pixels / (alone.height * alone.width)
    length = 1.0 if program == "embed" else area * request.frames / alone.frames
    area = 1.0 if program == "embed" else area
    # Of attention: pixels of a frame and, where all of a video see each other, of the others.
    seen = area * (request.frames / alone.frames) ** (alone.attention_grows - 1)
    sent = 0.0
    if device.chips > 1:
        others = [entry for entry in counted if 1 < entry.chips <= device.chips and entry.collectives]
        nearest = _first(sorted(others, key=lambda one: -one.chips), request, program)
        sent = 0.0 if nearest is None else length * sum(size for _, size in nearest.collectives.values())
    wide = 2 if request.dtype == "float32" and program == "sample" else 1
    return Roofline(
        compute=share * length * (alone.products + seen * alone.attention) / rates.flops,
        memory=wide * (alone.weights_read + share * length * alone.activations) / rates.memory,
        links=sent / rates.links,
    )


def _first(entries: Sequence[Entry], request: Request, program: Program) -> Entry | None:
    """The first entry with the request's settings; else with those in bfloat16 and whole pictures."""
    like = {"embed": "bfloat16", "encode": "whole", "decode": "whole"}
    method = request.method if request.method == "dgs" else f"post-{request.gradient}"
    for settings in (request.settings(program), like.get(program, f"{method}-bfloat16")):
        for entry in entries:
            if entry.settings == settings:
                return entry
    return None


def _share(program: Program, request: Request, chips: int) -> float:
    """A chip's part of the work of one alone."""
    branches, parts, _ = default_mesh(chips)
    match program:
        case "embed":
            return 1.0
        case "sample":
            return -(-request.frames // parts) / request.frames / branches
        case "encode":
            return 1 / chips
        case "decode":  # chunks come one after the other, and each is divided
            chunk = min(request.chunk, request.frames)
            return max(1 / chips, 1 / chunk)


def time_lines(
    entries: Sequence[Entry],
    device: Device,
    request: Request,
    runs: Mapping[Program, int],
    reached: Reached,
    *,
    alone: bool = False,
) -> list[str]:
    """For people: how long a render takes, what it is divided into, and how many videos all chips make in an hour.

    Args:
        entries: of the table.
        device: what it runs on.
        request: sizes and settings.
        runs: how often each of the model's programs runs.
        reached: by the model's programs.
        alone: whether one chip has room for all of it.
    """
    found = stages(entries, device, request, runs, reached)
    if not found:
        return ["How long it takes is not known: the work of such programs was not counted."]
    least, expected = sum(stage.at_least for stage in found), sum(stage.expected for stage in found)
    sample = next(stage for stage in found if stage.program == "sample")
    decode = _reached("decode", device, request, reached)
    step = sample.least.total / sample.reached
    where = " on an H100" if device.kind == "gpu" else ""
    lines = [
        f"Time{where}, a prediction: {expected:.3g} s a video of {runs['sample']} steps, {step:.3g} s a step.",
        f"At the least {least:.3g} s, by operations and bytes; an H200 reaches {sample.reached:.0%} of that in "
        f"sampling and {decode:.0%} in decoding, which is expected here, too.",
        "Reading weights and compiling, once, come on top.",
    ]
    if device.chips == 1:
        return lines
    branches, parts, _ = default_mesh(device.chips)
    divided = " --mesh.weights" * request.divided
    lines.append(f"Divide it by --mesh.branches {branches} --mesh.frames {parts}{divided}.")
    if alone:
        each = sum(stage.expected for stage in stages(entries, replace(device, chips=1), request, runs, reached))
        lines.append(
            f"Of many videos these chips make {3600 / expected:.0f} an hour one after the other, and "
            f"{3600 * device.chips / each:.0f} if each chip makes its own, in {each:.3g} s (docs/cloud_tpu.md)."
        )
    return lines
