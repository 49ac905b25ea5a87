"""Compiles a render's programs at full size for TPUs, on a machine without one, and records what they take.

    JAX_PLATFORMS=cpu python scripts/compile_tpu.py --out nvs_jax/planning/measured.json --page docs/memory.md

    ... --chips v5e:8 --cases dgs                 on eight chips, divided as docs/sharding.md advises
    ... --chips v5e:1 v5e:8 --count-only          only what is counted from shapes: seconds a program

Needs `pip install 'nvs-jax[tpu]'`. No weights are needed or allocated. A program takes seconds to three minutes on one
core: the compiler is stopped when it has placed every buffer. --raw waits for its code, 20 minutes and more, and has
its own counts of operations and bytes, too. Each result is written at once, and a second run with the same --out
replaces what it compiles again and keeps the rest.
"""

import math
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import tyro

from nvs_jax.errors import InputError
from nvs_jax.planning.buffers import place_buffers
from nvs_jax.planning.compiling import Compiled, Memory, chips, compile_program, mesh_of, on
from nvs_jax.planning.devices import default_mesh, parse_device
from nvs_jax.planning.programs import STEPS, Model, build_program
from nvs_jax.planning.published import name_of, published_model, usual_request
from nvs_jax.planning.request import Request
from nvs_jax.planning.table import Entry, add_entry, read_table
from nvs_jax.planning.work import Work
from scripts.compile_cases import Case, asked_for, check_page, variant, write_page
from scripts.mistakes import mistakes_in_one_line
from scripts.roofline import roofline_line, roofline_page


@dataclass(frozen=True)
class Options:
    """What to compile."""

    out: Path
    """The table, JSON; results are added to it."""
    page: Path | None = None
    """A Markdown page; what stands between its markers is replaced by the tables."""
    chips: tuple[str, ...] = ("v5e:1", "v6e:1")
    """Which, and how many: v5e, v6e or v5p, and 1, 2, 4, 8, 16 or 32."""
    mesh: tuple[int, int, int] | None = None
    """Parts of the branches, the frames and the rows, on several chips; by default as docs/sharding.md advises."""
    count_only: bool = False
    """Compile nothing: count operations and bytes, and add them to what the table has."""
    divided: bool = False
    """Divide the weights of the network that samples among several chips."""
    raw: bool = False
    """Compile to the end, for the compiler's own counts of operations and bytes."""
    cases: tuple[Case, ...] = ("embed", "dgs", "dgs-sequential", "post-skip", "encode", "decode", "decode-tiles")
    """Which programs."""
    frames: int | None = None
    """Of the video; by default, as rows and columns, what suits the model."""
    height: int | None = None
    """Rows of pixels."""
    width: int | None = None
    """Columns of pixels."""
    model: str = "svd_xt"
    """Whose programs: a name in configs/models."""


def main(options: Options) -> None:
    """Compile every case for every number of chips, and print its bytes and its least time.

    Raises:
        InputError: a chip, a mesh or a page that is not there.
    """
    check_page(options.page)
    model = published_model(options.model)
    asked = asked_for(usual_request(model), options.frames, options.height, options.width)
    asked = replace(asked, divided=options.divided)
    for text in options.chips:
        device = parse_device(text)
        if device.kind != "tpu":
            raise InputError(f"--chips {text}: only TPUs; for example v5e:8")
        shape = options.mesh or default_mesh(device.chips)
        if math.prod(shape) != device.chips:
            raise InputError(
                f"--mesh {shape} does not make {device.chips} chips: give three numbers whose product does"
            )
        found = chips(device.name, device.chips)
        mesh = mesh_of(found, shape)
        for case in options.cases:
            program, request = variant(case, asked)
            place = on(found[0], mesh, divided=request.divides(program))
            abstract = build_program(program, model, request, place)
            since = time.perf_counter()
            entry = Entry(
                chip=device.name,
                program=program,
                settings=request.settings(program),
                frames=request.frames,
                height=request.height,
                width=request.width,
                at_once=request.at_once(program),
                chips=device.chips,
                mesh="x".join(map(str, shape)),
                model=name_of(model) or options.model,
                **asdict(Memory(0, 0, 0)),
            )
            # The image encoder sees one picture, which is not divided.
            entry = counted(entry, abstract.work(mesh, divided=program != "embed"))
            if program == "sample":
                entry = replace(entry, attention_grows=attention_grows(model, request))
            print(f"{text} {case}: {roofline_line(entry)}", flush=True)
            if options.count_only:
                add_counts(options, entry)
                continue
            if options.raw:
                compiled = compile_program(abstract, mesh)
            else:
                compiled = place_buffers(program, model, request, device, shape)
            entry = measured(entry, compiled)
            record(options, entry)
            seconds = time.perf_counter() - since
            print(f"{text} {case}: {entry.line()}; {roofline_line(entry)}; {seconds:.0f} s to compile", flush=True)


@cache
def attention_grows(model: Model, request: Request) -> float:
    """The power of a video's length with which the operations of attention grow, from those of about half of it."""
    lattice = model.told(request).lattice
    both = request.frames, lattice.longest(request.frames // 2 + 1)
    whole, half = (build_program("sample", model, replace(request, frames=frames)).work() for frames in both)
    longer, shorter = (lattice.latent_shape(frames, 0, 0)[0] for frames in both)
    return round(math.log(whole.attention / half.attention) / math.log(longer / shorter), 2)


def counted(entry: Entry, work: Work) -> Entry:
    """With what is counted, of one step if it samples."""
    work = work.times(1 / _steps(entry))
    return replace(
        entry,
        products=work.products,
        attention=work.attention,
        weights_read=work.weights,
        activations=work.activations,
        exchanges=work.exchanges,
        exchanged=work.exchanged,
    )


def measured(entry: Entry, compiled: Compiled) -> Entry:
    """With what the compiler says."""
    steps = _steps(entry)
    collectives: dict[str, Any] = {
        kind: [count / steps, sent / steps] for kind, (count, sent) in compiled.collectives.items()
    }
    raw = {"collectives": collectives, "accessed": compiled.accessed, "xla_flops": compiled.flops}
    return replace(entry, **asdict(compiled.memory), **raw)


def _steps(entry: Entry) -> int:
    return STEPS if entry.program == "sample" else 1


def add_counts(options: Options, entry: Entry) -> None:
    """Give an entry that the table has the counts of this one."""
    names = ("products", "attention", "weights_read", "activations", "exchanges", "exchanged")
    for other in read_table(options.out):
        if other.key() == entry.key():
            record(options, replace(other, **{name: getattr(entry, name) for name in names}))


def record(options: Options, entry: Entry) -> None:
    """Add an entry to the table and to the page."""
    entries = add_entry(options.out, entry)
    if options.page is not None:
        write_page(options.page, entries, roofline_page)


if __name__ == "__main__":
    with mistakes_in_one_line():
        main(tyro.cli(Options))
