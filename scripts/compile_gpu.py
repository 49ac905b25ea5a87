"""Compiles a render's programs at full size for an Nvidia H100, on a machine without one, and records what they take.

    JAX_PLATFORMS=cpu python scripts/compile_gpu.py --out nvs_jax/planning/measured.json --page docs/memory.md

    ... --cases dgs --text .                      keep the programs' text, to read
    ... --read gpu-dgs.txt --steps 5              kernels of a program's text alone: nothing is compiled

Needs `pip install 'nvs-jax[gpu-compiler]'`, Python 3.12 or later and JAX 0.11 or later. No weights are needed or
allocated. A program takes one to two minutes on one core. Bytes are the compiler's; milliseconds are a model's
(`nvs_jax/planning/kernels.py`), not a measurement.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from nvs_jax.planning.gpu import compile_for_h100
from nvs_jax.planning.gpu_page import gpu_page
from nvs_jax.planning.hlo import parse
from nvs_jax.planning.kernels import Kernel, by_kind, kernels, total
from nvs_jax.planning.programs import STEPS
from nvs_jax.planning.published import name_of, published_model, usual_request
from nvs_jax.planning.request import Program
from nvs_jax.planning.table import Entry, add_entry
from scripts.compile_cases import Case, asked_for, check_page, variant, write_page
from scripts.mistakes import mistakes_in_one_line

SLOW = "convolution over three axes"
"""What no program may hold: cuDNN takes it after transposes, and takes its time."""


@dataclass(frozen=True)
class Options:
    """What to compile."""

    out: Path | None = None
    """The table, JSON; results are added to it."""
    page: Path | None = None
    """A Markdown page; what stands between its markers is replaced by the tables."""
    cases: tuple[Case, ...] = (
        *("embed", "encode", "encode-tiles", "dgs", "dgs-sequential", "post-skip", "post-full"),
        *("decode", "decode-bfloat16", "decode-tiles"),
    )
    """Which programs."""
    text: Path | None = None
    """A folder for the programs' text."""
    read: Path | None = None
    """A program's text to look at, in place of compiling."""
    steps: int = 1
    """Of read: how many steps it makes."""
    frames: int | None = None
    """Of the video; by default, as rows and columns, what suits the model."""
    height: int | None = None
    """Rows of pixels."""
    width: int | None = None
    """Columns of pixels."""
    model: str = "svd_xt"
    """Whose programs: a name in configs/models."""


def main(options: Options) -> int:
    """Compile every case, print its bytes and its kernels by kind; 1 if a program has convolutions that are slow.

    Raises:
        InputError: the compiler or a page is not there.
    """
    check_page(options.page)
    if options.read is not None:
        return say(list(kernels(parse(options.read.read_text(encoding="utf-8")))), options.steps)
    slow, model = 0, published_model(options.model)
    asked = asked_for(usual_request(model), options.frames, options.height, options.width)
    for case in options.cases:
        program, request = variant(case, asked)
        since = time.perf_counter()
        compiled, text = compile_for_h100(program, model, request)
        found = list(kernels(parse(text)))
        steps = STEPS if program == "sample" else 1
        entry = Entry(
            chip="h100",
            program=program,
            settings=request.settings(program),
            frames=request.frames,
            height=request.height,
            width=request.width,
            at_once=request.at_once(program),
            model=name_of(model) or options.model,
            kernels={
                kind: [part.kernels, part.bytes, part.operations, part.seconds]
                for kind, part in by_kind(found, steps).items()
            },
            **asdict(compiled.memory),
        )
        print(f"h100 {case}: {entry.line()}; {time.perf_counter() - since:.0f} s to compile", flush=True)
        slow += say(found, steps)
        keep(options, case, program, entry, text)
    return int(slow > 0)


def say(found: Sequence[Kernel], steps: int) -> int:
    """Print kernels by kind; 1 if there are slow convolutions among them."""
    parts = by_kind(found, steps)
    for kind, part in {**parts, "in all": total(found, steps)}.items():
        print(
            f"  {kind:32}{part.kernels:8.1f} kernels {part.bytes / 1e9:8.2f} GB "
            f"{part.operations / 1e12:8.2f} TFLOP {part.seconds * 1e3:8.2f} ms modelled"
        )
    return int(SLOW in parts)


def keep(options: Options, case: Case, program: Program, entry: Entry, text: str) -> None:
    """Write what is asked for: text, table, page."""
    if options.text is not None:
        (options.text / f"gpu-{case}.txt").write_text(text, encoding="utf-8")
    if options.out is None:
        return
    entries = add_entry(options.out, entry)
    if options.page is not None:
        write_page(options.page, entries, gpu_page)


if __name__ == "__main__":
    with mistakes_in_one_line():
        sys.exit(main(tyro.cli(Options)))
