"""Many renders in one process, each complete or not at all, and none twice."""

import json
import time
import traceback
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nvs_jax.commands.back_end import require_back_end
from nvs_jax.commands.batch_file import read_batch
from nvs_jax.commands.loaded import LastLoaded, Loader
from nvs_jax.commands.render import run_render
from nvs_jax.disk import BusyError
from nvs_jax.disk.files import read_bounded, remove_file, write_text
from nvs_jax.errors import InputError, in_words
from nvs_jax.remote import spelt
from nvs_jax.runs.shares import Share, own_share
from nvs_jax.runs.stopping import EXIT_CODE, Stopped, StopRequest, stop_on_signals
from nvs_jax.saying import at_job, log_event, say, tell
from nvs_jax.settings.jobs import BatchJob, RenderJob

_MOST_BYTES = 2**28


@dataclass
class Summary:
    """What became of the jobs of a batch, by name.

    Attributes:
        rendered: seconds that each took.
        there_already: those that were complete before.
        failed: what was wrong with each.
        busy: those that another process was at work on.
    """

    rendered: dict[str, float] = field(default_factory=dict)
    there_already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: all are there; 1: some failed; 75: some are in another process's hands."""
        return 1 if self.failed else EXIT_CODE if self.busy else 0

    def __str__(self) -> str:
        """One line.

        >>> str(Summary({"a": 3.0}, ["b"], {"c": "no such file"}))
        '1 rendered, 1 there already, 1 failed: c'
        >>> str(Summary({"a": 3.0}, busy=["b"]))
        '1 rendered, 0 there already, 0 failed, 1 in the hands of another process: b'
        """
        parts = [f"{len(self.rendered)} rendered", f"{len(self.there_already)} there already"]
        parts.append(_counted(self.failed, "failed"))
        if self.busy:
            parts.append(_counted(self.busy, "in the hands of another process"))
        return ", ".join(parts)


def _counted(names: Collection[str], what: str) -> str:
    return f"{len(names)} {what}" + (f": {', '.join(names)}" if names else "")


def run_batch(job: BatchJob) -> Summary:
    """Do this process's share of the jobs, in order.

    Returns:
        What became of them.

    Raises:
        InputError: the list of jobs itself cannot be read or done; nothing has been done then.
        Stopped: it was asked for; the same batch goes on.
    """
    jobs = read_batch(job.jobs, job.out, job.defaults)
    shared = [name for name in jobs if jobs[name].mesh.hosts]
    if shared:
        raise InputError(f"{job.jobs}, job {shared[0]}: no two processes of a batch share a job: leave out mesh.hosts")
    share = own_share(job.shard, distributed=job.distributed)
    require_back_end()
    mine = {name: jobs[name] for index, name in enumerate(jobs) if share.includes(index)}
    say(f"{len(mine)} of {len(jobs)} jobs are this process's")
    if share.count > 1:  # what it did in an earlier batch is not what it did in this one
        remove_file(job.out / share.name("summary"))
    with stop_on_signals() as stop:
        summary = render_all(mine, stop)
    _write(job.out / share.name("summary"), summary)
    if share.count > 1:
        _merge(job.out, share.count)
    tell(str(summary))
    log_event("summary", **asdict(summary))
    return summary


def render_all(jobs: dict[str, RenderJob], stop: StopRequest) -> Summary:
    """Render the jobs one after the other; what fails is said and noted. Weights are read once where they are shared.

    Raises:
        Stopped: it was asked for, during a job or between two.
    """
    summary = Summary()
    loaded = LastLoaded()
    for index, (name, job) in enumerate(jobs.items()):
        with at_job(name):
            say(f"[{index + 1}/{len(jobs)}] {name}")
            _render_one(name, job, stop, loaded, summary)
    return summary


def _render_one(name: str, job: RenderJob, stop: StopRequest, loaded: LastLoaded, summary: Summary) -> None:
    """Render a job and note in the summary what became of it; see `render_all`."""
    since = time.perf_counter()
    try:
        stop.obey("before its first step")
        if run_render(job, stop, Loader(loaded.describe, loaded.load)):
            summary.rendered[name] = round(time.perf_counter() - since, 3)
        else:
            summary.there_already.append(name)
    except Stopped as stopped:
        raise Stopped(f"in {name}, {stopped.where}", "the same command") from None
    except BusyError as error:
        summary.busy.append(name)
        say(f"{name} is left out: {error}")
        log_event("busy")
    except Exception as error:
        summary.failed[name] = _message(error)
        say(f"{name} failed: {summary.failed[name]}")
        log_event("failed", reason=summary.failed[name])


def _message(error: Exception) -> str:
    """In one line; what is no mistake of the user's is shown in full besides."""
    if not isinstance(error, InputError | OSError):
        say("".join(traceback.format_exception(error)).rstrip())
        return " ".join(f"{type(error).__name__}: {error}".split())[:600]
    return spelt(in_words(error))


def _write(path: Path, summary: Summary) -> None:
    write_text(path, json.dumps(asdict(summary), indent=2) + "\n")


def _merge(out: Path, count: int) -> None:
    """summary.json of all shares, where the processes share a disk and this one is the last to end.

    Two that end together may both write it. Whoever does looks once more at what there is, so that nobody's share is
    missing in the end.
    """
    written = None
    while (whole := _all_shares(out, count)) is not None and whole != written:
        _write(out / "summary.json", whole)
        written = whole


def _all_shares(out: Path, count: int) -> Summary | None:
    """What all processes wrote; None while one of them has written nothing."""
    whole = Summary()
    for index in range(count):
        try:
            part = json.loads(read_bounded(out / Share(index, count).name("summary"), _MOST_BYTES))
        except InputError:
            return None
        whole.rendered |= part["rendered"]
        whole.there_already += part["there_already"]
        whole.failed |= part["failed"]
        whole.busy += part.get("busy", [])
    return whole
