"""Compiles a render's programs at full size for TPUs, on a machine without one, and records what they take.

    JAX_PLATFORMS=cpu python scripts/compile_tpu.py --out nvs_jax/planning/measured.json --page docs/memory.md

Needs `pip install 'nvs-jax[tpu]'`. No weights are needed or allocated. Every program takes minutes on two cores; each
result is written at once, and a second run with the same --out replaces what it compiles again and keeps the rest.
"""

import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import tyro

from nvs_jax.media import atomic_path
from nvs_jax.planning.compiling import chip, measure, on
from nvs_jax.planning.programs import Model, build_program
from nvs_jax.planning.request import Program, Request
from nvs_jax.planning.table import Entry, read_table, table_page

Case = Literal[
    "embed", "encode", "encode-tiles", "dgs", "dgs-sequential", "post-skip", "post-full", "decode", "decode-tiles"
]
TILE, OVERLAP = (320, 512), 64


@dataclass(frozen=True)
class Options:
    """What to compile."""

    out: Path
    """The table, JSON; results are added to it."""
    page: Path | None = None
    """A Markdown page; what stands between its markers is replaced by the table."""
    chips: tuple[Literal["v5e", "v6e", "v5p"], ...] = ("v5e", "v6e")
    """One chip of each."""
    cases: tuple[Case, ...] = ("embed", "dgs", "dgs-sequential", "post-skip", "encode", "decode", "decode-tiles")
    """Which programs."""
    request: Request = field(default_factory=Request)
    """Sizes."""


def main(options: Options) -> None:
    """Compile every case for every chip, and print its bytes."""
    for name in options.chips:
        device = chip(name)
        for case in options.cases:
            program, request = variant(case, options.request)
            since = time.perf_counter()
            memory = measure(build_program(program, Model(), request, on(device)))
            seconds = time.perf_counter() - since
            entry = Entry(
                chip=name,
                program=program,
                settings=request.settings(program),
                frames=request.frames,
                height=request.height,
                width=request.width,
                at_once=request.at_once(program),
                **asdict(memory),
            )
            record(options, entry)
            print(f"{name} {case}: {entry.line()}; {seconds:.0f} s to compile", flush=True)


def variant(case: Case, request: Request) -> tuple[Program, Request]:
    """The program of a case, and the request that asks for it."""
    match case:
        case "embed":
            return "embed", request
        case "encode" | "decode":
            return case, request
        case "encode-tiles":
            return "encode", replace(request, tile=TILE, overlap=OVERLAP)
        case "decode-tiles":
            return "decode", replace(request, tile=TILE, overlap=OVERLAP)
        case "dgs" | "dgs-sequential":
            return "sample", replace(request, method="dgs", sequential=case != "dgs")
        case "post-skip" | "post-full":
            return "sample", replace(request, method="post", gradient="full" if case == "post-full" else "skip")


def record(options: Options, entry: Entry) -> None:
    """Add an entry to the table and to the page."""
    entries = [other for other in read_table(options.out) if other.key() != entry.key()]
    entries = sorted([*entries, entry], key=Entry.key)
    with atomic_path(options.out) as path:
        path.write_text(json.dumps([asdict(one) for one in entries], indent=1) + "\n", encoding="utf-8")
    if options.page is not None:
        page = table_page(options.page.read_text(encoding="utf-8"), entries)
        with atomic_path(options.page) as path:
            path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Options))
