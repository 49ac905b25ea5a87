"""Measures an accelerator stage by stage, against PyTorch on the same card; docs/accelerators.md says what.

    python -m scripts.bench_accelerator --side jax --budget 480 --out out/jax        at full size, with random weights
    python -m scripts.bench_accelerator --side torch --budget 300 --out out/torch
    python -m scripts.bench_accelerator --merge out/jax out/torch --out out/both --page docs/accelerators.md

    ... --size toy                                the whole of it in two minutes, on any device

JAX and PyTorch take turns: every stage is a process of its own, killed when its box of time is used up. Whatever ends a
run, results.json and results.md in the folder hold what was found until then. The exit status is 1 if anything failed.
"""

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from scripts.accelerator.driver import Plan, run
from scripts.accelerator.page import WRITER, markdown
from scripts.accelerator.record import Record, begin, merged, read
from scripts.accelerator.sizes import TOY_BOX, SizeName
from scripts.accelerator.stages import Variant, chosen, quickly
from scripts.documentation import read_page, write_results
from scripts.mistakes import mistakes_in_one_line


@dataclass(frozen=True)
class Options:
    """What to measure."""

    size: SizeName = "full"
    """Toy: small networks and a few cells; full: SVD-XT, 25 frames of 576x1024, and what Wan's models were made for."""
    side: Literal["jax", "torch", "both"] = "both"
    """Whose stages."""
    stages: tuple[str, ...] = ()
    """Some of them, by name; all without."""
    budget: float = float("inf")
    """Seconds for all of it: a stage is started only if its box of time fits into what is left."""
    variant: Variant = "fast"
    """A named set of flags for XLA on Nvidia GPUs; see scripts/accelerator/stages.py."""
    merge: tuple[Path, ...] = ()
    """Results of earlier runs, to be put together in place of a new run."""
    out: Path = Path("out/bench_accelerator")
    """A folder for results.json, results.md, logs, and compiled programs. Earlier results there are kept beside."""
    page: Path | None = None
    """A page in Markdown, whose results between this script's markers are replaced."""


def main(options: Options) -> int:
    """Run or merge; 1 if anything failed."""
    if options.page is not None:
        read_page(options.page, WRITER)  # before minutes are spent
    if options.merge:
        entries = merged([read(source) for source in options.merge])
        record = begin(options.out)
        record.add(entries)
        record.finish()
    else:
        record = measure(options)
    if options.page is not None:
        write_results(options.page, WRITER, markdown(record.entries))
    print(markdown(record.entries), end="")
    return int(any(entry.failed for entry in record.entries))


def measure(options: Options) -> Record:
    """A new run."""
    stages = chosen(options.side, options.stages)
    if options.size == "toy":
        stages = quickly(stages, TOY_BOX)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = options.out.resolve()
    record = begin(folder)
    run(Plan(stages, options.size, options.variant, options.budget, folder), record)
    return record


if __name__ == "__main__":
    with mistakes_in_one_line():
        sys.exit(main(tyro.cli(Options, description=__doc__)))
