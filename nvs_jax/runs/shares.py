"""Several processes that share a list of jobs.

A list is shared by a plain rule, job i is that of process i mod n. No process waits for another, nothing is handed out,
and nobody keeps a list of who does what: a process that is started again finds its own jobs, and those that are done,
by itself. They never meet, so that none is taken along when another one ends.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.saying import say

SHARES = "NVS_JAX_SHARES"
"""Variable with the number of shares, for schedulers that do not say it: Kubernetes."""


@dataclass(frozen=True)
class Array:
    """How a scheduler tells a task of an array which one it is, in environment variables.

    Attributes:
        index: variable with the task's number.
        count: variable with the number of tasks.
        first: variable with the first task's number, if that need not be 0.
        step: variable with the step from one number to the next.
    """

    index: str
    count: str
    first: str | None = None
    step: str | None = None


ARRAYS: Mapping[str, Array] = {
    "an indexed job of Kubernetes": Array("JOB_COMPLETION_INDEX", SHARES),
    "an array of Slurm": Array(
        "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"
    ),
    "Cloud Run": Array("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
    "Google Batch": Array("BATCH_TASK_INDEX", "BATCH_TASK_COUNT"),
    "an array of AWS Batch": Array("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    "SkyPilot's jobs": Array("SKYPILOT_JOB_RANK", "SKYPILOT_NUM_JOBS"),
    "SkyPilot": Array("SKYPILOT_NODE_RANK", "SKYPILOT_NUM_NODES"),
}
"""By name, the schedulers that are asked, in this order."""

_BOUNDS = "TPU_PROCESS_BOUNDS"
_GRIDS = {1: "1,1,1", 4: "2,2,1", 8: "2,4,1"}
"""How the chips of one machine lie, by their number."""


@dataclass(frozen=True)
class Share:
    """Which of how many processes this is.

    >>> [i for i in range(7) if Share(1, 3).includes(i)]
    [1, 4]
    """

    index: int
    count: int

    def includes(self, job: int) -> bool:
        """Whether the job of this number is this process's."""
        return job % self.count == self.index

    def name(self, stem: str, suffix: str = ".json") -> str:
        """Of a file that every process writes.

        >>> Share(0, 1).name("summary"), Share(1, 3).name("summary")
        ('summary.json', 'summary-1-of-3.json')
        """
        return f"{stem}{suffix}" if self.count == 1 else f"{stem}-{self.index}-of-{self.count}{suffix}"


def own_share(shard: tuple[int, int] | None, *, distributed: bool = False) -> Share:
    """This process's share: as the command says, or the cluster, or the scheduler of an array of tasks.

    One of several that were not told by --shard has the chips of its own machine alone.

    Args:
        shard: which, of how many; None: nobody says.
        distributed: ask the cluster.

    Raises:
        InputError: what says so makes no sense, or nothing does.
    """
    if shard is not None:
        share = Share(*shard)
    elif distributed:
        share = find_share()
    else:
        share, said = array_share()
        if said is not None:
            say(f"share {share.index} of {share.count}, as {said} says; --shard takes another, --shard 0 1 all")
    if share.count > 1 and shard is None:
        keep_to_own_chips()
    return share


def find_share() -> Share:
    """Which process of how many this is, without meeting the others.

    JAX_NUM_PROCESSES and JAX_PROCESS_ID say so, or what JAX knows of a TPU pod, Slurm, Open MPI or Kubernetes.

    Raises:
        InputError: nothing says so, or what does makes no sense.
    """
    found = os.environ.get("JAX_NUM_PROCESSES"), os.environ.get("JAX_PROCESS_ID")
    advice = "set JAX_NUM_PROCESSES and JAX_PROCESS_ID, or use --shard"
    try:
        if None in found:
            found = _ask_cluster()
        count, index = (int(str(number)) for number in found)
    except Exception as error:  # each kind of cluster fails in its own way
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"no cluster is found: {advice} ({reason})") from None
    if not 0 <= index < count:
        raise InputError(f"process {index} of {count} makes no sense: {advice}")
    return Share(index, count)


def _ask_cluster() -> tuple[str, str]:
    """How many processes there are, and which one this is.

    Raises:
        Exception: no kind of cluster that JAX knows.
    """
    import jax
    from jax._src.clusters import ClusterEnv

    kinds = ClusterEnv._cluster_types  # JAX tells it to nobody who does not join
    cluster = next((kind for kind in kinds if not kind.opt_in_only_method and kind.is_env_present()), None)
    if cluster is None:
        raise LookupError("JAX knows of none here")
    local = cluster.get_local_process_id()
    if local is not None:  # processes of one machine take a GPU each, as where they join
        jax.config.update("jax_cuda_visible_devices", str(local))
        jax.config.update("jax_rocm_visible_devices", str(local))
    return str(cluster.get_process_count()), str(cluster.get_process_id())


def array_share() -> tuple[Share, str | None]:
    """Which task of a scheduler's array this is, and which variable of which scheduler says so; without one, all.

    Raises:
        InputError: the variables make no sense, or do not say how many tasks there are.
    """
    for scheduler, names in ARRAYS.items():
        if names.index not in os.environ:
            continue
        said = f"{names.index} of {scheduler}"
        if names.count not in os.environ:
            raise InputError(
                f"{said} says that this is task {os.environ[names.index]}, and nothing of how many: set {names.count}, "
                "or give --shard (--shard 0 1 does all)"
            )
        index, count = _number(names.index), _number(names.count)
        place, rest = divmod(index - _number(names.first, 0), max(_number(names.step, 1), 1))
        if rest or not 0 <= place < count:
            raise InputError(
                f"{said} says {index} of {count} tasks, which is no share of a list: number them 0, 1, 2, ... without "
                "gaps, or give --shard"
            )
        return (Share(place, count), said) if count > 1 else (Share(0, 1), None)
    return Share(0, 1), None


def _number(name: str | None, default: int = 0) -> int:
    """What a variable holds, if it is there."""
    if name is None or name not in os.environ:
        return default
    try:
        return int(os.environ[name])
    except ValueError:
        raise InputError(f"{name} is {os.environ[name]!r} and should be a number: give --shard") from None


def keep_to_own_chips(devices: Path = Path("/dev")) -> None:
    """On a machine with TPU chips, let JAX have the chips of this machine alone. Elsewhere do nothing.

    On a slice of several machines the TPU's library else waits for all of them, and ends all processes when one does.

    Args:
        devices: where the system has the chips.
    """
    chips = len([*devices.glob("accel[0-9]*"), *devices.glob("vfio/[0-9]*")])
    if not chips or find_spec("libtpu") is None or _BOUNDS in os.environ:
        return
    grid = _GRIDS.get(chips)
    if grid is None:
        say(f"{chips} TPU chips are found here: set {_BOUNDS} and TPU_CHIPS_PER_PROCESS_BOUNDS for them")
        return
    os.environ |= {
        _BOUNDS: "1,1,1",
        "TPU_CHIPS_PER_PROCESS_BOUNDS": grid,
        "TPU_VISIBLE_CHIPS": ",".join(map(str, range(chips))),
        "TPU_PROCESS_ADDRESSES": "localhost:8476",
        "TPU_PROCESS_PORT": "8476",
        "TPU_WORKER_HOSTNAMES": "localhost",
        "TPU_WORKER_ID": "0",
        "CLOUD_TPU_TASK_ID": "0",
    }
    say(f"this process keeps to the {chips} TPU chips of its own machine, unless {_BOUNDS} says otherwise")
