"""Times whole sampling runs: every solver with every guidance, number of steps, size, dtype and mesh, on any device.

    python scripts/bench_sampler.py                                   a small UNet with random weights
    python scripts/bench_sampler.py --weights demo --steps 5 10 25    the package's model; quality against time
    python scripts/bench_sampler.py --weights FOLDER --against torch  and diffusers' UNet in PyTorch beside it

All runs of a setting are compiled first and then timed in turn, so that a drifting machine is fair to all; the median
counts, and the spread is given. Quality is the PSNR of the latents to a run of many steps of the same problem
(`scripts/sampler/quality.py` says what that is worth). An evaluation is one pass of one branch through the network; how
many a run makes is counted in a run of its own code around a stand-in, and operations in the shapes of its programs
(`nvs_jax.planning.work`). Memory is the compiled program's: arguments, results and temporaries. PyTorch's side is the
release's loop, Euler's steps around diffusers' UNet, with the backward pass that the release runs for Post; ours needs
none (see `nvs_jax.diffusion.guidance`). Conditions and views are random numbers: networks take as long for any.
"""

import sys
from collections.abc import Callable
from dataclasses import asdict, replace

import jax
import numpy as np
import tyro

import nvs_jax
from scripts.accelerator.environment import environment
from scripts.accelerator.sizes import PEAKS
from scripts.mistakes import mistakes_in_one_line
from scripts.sampler.options import Options, Setting
from scripts.sampler.picture import draw
from scripts.sampler.problems import make_problem, network, random_views
from scripts.sampler.programs import compile_run, cost_of, timed_in_turn
from scripts.sampler.quality import References
from scripts.sampler.rows import About, Row, finished, markdown, write
from scripts.sampler.torch_side import torch_runs

Case = tuple[Row, Callable[[], object] | None]
"""A row to be, and what is timed for it; None where it cannot be run."""


def main(options: Options) -> None:
    """Print a table, and write it with a picture and the same as JSON.

    Raises:
        InputError: a mesh that is none, or larger than the machine.
    """
    device = jax.devices()[0].device_kind
    peak = options.peak or next((peak for name, peak in PEAKS.items() if name in device), None)
    references, rows = References(options), []
    about = _about(options, references.name)
    for setting in options.settings():
        for steps in options.steps:
            print(f"compiling {setting}, {steps} steps", file=sys.stderr)
            cases = _cases(options, setting, steps)
            results, seconds = timed_in_turn([function for _, function in cases], options.repeats)
            for (row, _), result, taken in zip(cases, results, seconds, strict=True):
                psnr = references.psnr(result, setting) if row.side == "nvs-jax" else None
                rows.append(finished(replace(row, psnr=psnr), taken, peak))
            write(options.out, about, rows)  # what is done so far
            draw(options.out / "bench.png", about, rows)
    print(markdown(about, rows))


def _cases(options: Options, setting: Setting, steps: int) -> list[Case]:
    """Ours, compiled, and PyTorch's."""
    dtype = str(network(options.weights, setting.dtype).weights["conv_in.weight"].dtype)
    plain = asdict(setting) | {"dtype": dtype, "side": "nvs-jax", "setting": str(setting), "steps": steps}
    cases: list[Case] = []
    for solver in options.solvers:
        problem = make_problem(options.weights, setting, solver, steps)
        program, cost = compile_run(problem), cost_of(problem)
        measured = asdict(cost) | {"compile_s": program.compile_s, "memory_mb": program.memory_mb}
        cases.append((Row(**plain, solver=solver, **measured), program.run))
    if options.against == "torch" and setting.guidance in ("none", "dgs", "post"):
        problem = make_problem(options.weights, setting, "euler", steps)
        _, views = random_views(network(options.weights, setting.dtype).config, setting)
        cases += torch_runs(options.weights or "", problem, views, Row(**plain, solver="euler"))
    return cases


def _about(options: Options, reference: str | None) -> About:
    versions = environment("jax") | {"nvs-jax": nvs_jax.__version__, "numpy": np.__version__}
    digest = network(options.weights, options.dtype[0] if options.dtype else None).digest
    return About(
        command=asdict(options),
        environment=versions | {"matmul precision": str(jax.config.values["jax_default_matmul_precision"])},
        devices=jax.device_count(),
        weights=f"{options.weights or 'random'} ({digest})",
        reference=reference,
        repeats=options.repeats,
    )


if __name__ == "__main__":
    jax.config.update("jax_enable_compilation_cache", False)  # the time it takes is part of the result
    with mistakes_in_one_line():
        main(tyro.cli(Options, description=__doc__))
