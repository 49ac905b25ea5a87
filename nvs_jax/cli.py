"""The command nvs-jax: one subcommand a job. The options are the fields of what is in `nvs_jax.settings`."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Annotated, Any, get_args

import tyro
from tyro.conf import subcommand

from nvs_jax.commands.dispatch import run_job
from nvs_jax.commands.usage import one_line_errors, wide_enough
from nvs_jax.disk import PUBLISHED
from nvs_jax.disk.paths import check_paths
from nvs_jax.errors import InputError, in_words
from nvs_jax.runs.endings import exit_code, is_out_of_memory
from nvs_jax.runs.stopping import Stopped
from nvs_jax.saying import lasting_output, log_as, say
from nvs_jax.settings import Mode, RenderSettings
from nvs_jax.settings.benchmark import BenchmarkJob
from nvs_jax.settings.former import refuse_former_options
from nvs_jax.settings.jobs import (
    BatchJob,
    CheckJob,
    ConvertJob,
    DemoJob,
    DepthJob,
    EvaluateJob,
    Job,
    PlanJob,
    SingleJob,
    StudioJob,
    VideoJob,
    ViewsJob,
    WarpJob,
)

_RENDERS: dict[str, Mode] = {
    "single": "single",
    "warp": "single",
    "video": "video",
    "views": "views",
    "benchmark": "single",
}
"""Subcommands whose options are those of `RenderSettings`, too, and the mode whose preset they have."""
_LONGEST = 600
"""Characters of an error: some quote what they found in a file."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    It exits with 2 after a mistake of the user's, described in one line; with 1 if a plan says no or a job of a batch
    failed; with 75 if it was asked to stop, and can go on; with 69 if another process of the same render is missing.
    """
    with lasting_output(), ExitStack() as output:
        _main(sys.argv[1:] if arguments is None else arguments, output)


def _main(arguments: Sequence[str], output: ExitStack) -> None:
    before = len(PUBLISHED)
    try:
        job = parse(arguments)
        output.enter_context(log_as(getattr(job, "log", "text")))
        check_paths(job)
        run_job(job)
    except (InputError, OSError) as error:
        sys.exit(_fail(in_words(error), exit_code(error)))
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        advice = "--low-memory or fewer --path.frames help, `nvs-jax plan` says what fits"
        sys.exit(_fail(f"out of memory: {advice}", exit_code(error)))
    except Stopped as stop:
        say(f"nvs-jax: {stop}")
        sys.exit(exit_code(stop))
    except KeyboardInterrupt as error:
        made = PUBLISHED[before:]
        sys.exit(_fail(f"interrupted; {made[-1]} is complete" if made else "interrupted", exit_code(error)))


@wide_enough()
@one_line_errors()
def parse(arguments: Sequence[str]) -> Job | BenchmarkJob:
    """The job that the arguments ask for: the preset, or the weights, give the defaults, options change them.

    >>> parse(["demo", "--seed", "3"])
    DemoJob(out=PosixPath('out/demo'), seed=3, overwrite=False)

    Raises:
        InputError: an option or a value that is none, or an option that is called otherwise now.
    """
    if arguments and arguments[0] in _RENDERS:
        refuse_former_options(arguments)
    missing = tyro.MISSING
    single, video, views = (_defaults(mode, arguments) for mode in get_args(Mode))
    photo: dict[str, Any] = dict.fromkeys(("photo", "out"), missing)
    frames: dict[str, Any] = dict.fromkeys(("frames", "out"), missing)
    benchmark: dict[str, Any] = dict.fromkeys(("split", "data", "weights"), missing)
    command = partial(subcommand, prefix_name=False)
    return tyro.cli(
        Annotated[SingleJob, command("single", default=SingleJob(**photo, settings=single))]
        | Annotated[VideoJob, command("video", default=VideoJob(**frames, settings=video))]
        | Annotated[ViewsJob, command("views", default=ViewsJob(scene=missing, out=missing, settings=views))]
        | Annotated[WarpJob, command("warp", default=WarpJob(**photo, settings=single))]
        | Annotated[BatchJob, command("batch")]
        | Annotated[ConvertJob, command("convert")]
        | Annotated[CheckJob, command("check")]
        | Annotated[EvaluateJob, command("evaluate")]
        | Annotated[BenchmarkJob, command("benchmark", default=BenchmarkJob(**benchmark, settings=single))]
        | Annotated[PlanJob, command("plan")]
        | Annotated[DepthJob, command("depth")]
        | Annotated[DemoJob, command("demo")]
        | Annotated[StudioJob, command("studio")],
        prog="nvs-jax",
        description="New views of a scene from a photo, a few photos or a video, without training.",
        args=list(arguments),
    )


def _defaults(mode: Mode, arguments: Sequence[str]) -> RenderSettings:
    """Settings that options of a job in this mode change; those of a job that is not asked for matter to nobody."""
    if mode not in map(_RENDERS.get, arguments):
        return RenderSettings()
    from nvs_jax.settings.presets import settings_for  # whose reader of YAML --help need not wait for

    preset, weights = _decisive(arguments)
    return settings_for(weights, preset, mode)


def _decisive(arguments: Sequence[str]) -> tuple[str | None, str | None]:
    """What --preset and --weights say, looked up before the options whose defaults depend on them are parsed."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--preset")
    parser.add_argument("--weights")
    try:
        found = parser.parse_known_args(list(arguments))[0]
    except argparse.ArgumentError:
        return None, None  # the full parser says what is wrong with them
    return found.preset, found.weights


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    say(f"nvs-jax: error: {line[:_LONGEST]}{' ...' * (len(line) > _LONGEST)}")
    return code
