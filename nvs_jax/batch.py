"""Many renders in one process, each complete or not at all, and none twice."""

import json
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nvs_jax.batch_file import read_batch
from nvs_jax.distributed import Share, join_cluster, wait_for_all
from nvs_jax.errors import InputError
from nvs_jax.jobs import BatchJob, RenderJob
from nvs_jax.media import atomic_path
from nvs_jax.pipeline import Pipeline
from nvs_jax.runs import load_for, run_render
from nvs_jax.saying import say, tell
from nvs_jax.stopping import Stopped, StopRequest, stop_on_signals

_MOST_BYTES = 2**28


@dataclass
class Summary:
    """What became of the jobs of a batch, by name.

    Attributes:
        rendered: seconds that each took.
        there_already: those that were complete before.
        failed: what was wrong with each.
    """

    rendered: dict[str, float] = field(default_factory=dict)
    there_already: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line.

        >>> str(Summary({"a": 3.0}, ["b"], {"c": "no such file"}))
        '1 rendered, 1 there already, 1 failed: c'
        """
        named = f": {', '.join(self.failed)}" if self.failed else ""
        return (
            f"{len(self.rendered)} rendered, {len(self.there_already)} there already, {len(self.failed)} failed{named}"
        )


def run_batch(job: BatchJob) -> bool:
    """Do this process's share of the jobs, in order.

    Returns:
        Whether none of them failed.

    Raises:
        InputError: the list of jobs itself cannot be read or done; nothing has been done then.
        Stopped: it was asked for; the same batch goes on.
    """
    jobs = read_batch(job.jobs, job.out)
    shared = [name for name in jobs if jobs[name].mesh.hosts]
    if shared:
        raise InputError(f"{job.jobs}, job {shared[0]}: no two processes of a batch share a job: leave out mesh.hosts")
    share = join_cluster() if job.distributed else Share(*job.shard)
    mine = {name: jobs[name] for index, name in enumerate(jobs) if share.includes(index)}
    say(f"{len(mine)} of {len(jobs)} jobs are this process's")
    with stop_on_signals() as stop:
        summary = render_all(mine, stop)
    _write(job.out / share.name("summary"), summary)
    if job.distributed:
        wait_for_all("batch")
        if share.index == 0 and share.count > 1:
            _write(job.out / "summary.json", _merge(job.out, share.count))
    tell(str(summary))
    return not summary.failed


def render_all(jobs: dict[str, RenderJob], stop: StopRequest) -> Summary:
    """Render the jobs one after the other; what fails is said and noted. Weights are read once where they are shared.

    Raises:
        Stopped: it was asked for, during a job or between two.
    """
    summary = Summary()
    loaded = _LastLoaded()
    for index, (name, job) in enumerate(jobs.items()):
        say(f"[{index + 1}/{len(jobs)}] {name}")
        since = time.perf_counter()
        try:
            stop.obey("before its first step")
            if run_render(job, stop, loaded.get):
                summary.rendered[name] = round(time.perf_counter() - since, 3)
            else:
                summary.there_already.append(name)
        except Stopped as stopped:
            raise Stopped(f"in {name}, {stopped.where}", "the same command") from None
        except Exception as error:
            summary.failed[name] = _message(error)
            say(f"{name} failed: {summary.failed[name]}")
    return summary


class _LastLoaded:
    """The pipeline of the last job: kept for the next one if that asks for the same, or freed before it is read."""

    def __init__(self) -> None:
        self._asked: tuple[object, ...] | None = None
        self._pipeline: Pipeline | None = None

    def get(self, job: RenderJob) -> Pipeline:
        asked = (job.weights, job.dtype, job.low_memory, job.mesh)
        if self._pipeline is None or self._asked != asked:
            self._pipeline = None
            self._pipeline = load_for(job)
            self._asked = asked
        return self._pipeline


def _message(error: Exception) -> str:
    """In one line; what is no mistake of the user's is shown in full besides."""
    if isinstance(error, OSError):
        return f"{error.filename or 'input/output'}: {error.strerror or error}"
    if not isinstance(error, InputError):
        say("".join(traceback.format_exception(error)).rstrip())
        return " ".join(f"{type(error).__name__}: {error}".split())[:600]
    return str(error)


def _write(path: Path, summary: Summary) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(asdict(summary), indent=2) + "\n", encoding="utf-8")


def _merge(out: Path, count: int) -> Summary:
    """What all processes wrote, where they share a disk."""
    whole = Summary()
    for index in range(count):
        path = out / Share(index, count).name("summary")
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            part = json.loads(path.read_bytes())
            whole.rendered |= part["rendered"]
            whole.there_already += part["there_already"]
            whole.failed |= part["failed"]
    return whole
