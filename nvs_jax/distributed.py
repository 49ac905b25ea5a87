"""Several processes, one for each machine, that share a list of jobs by a plain rule: job i is that of process i mod n.

No process waits for another while it works, nothing is handed out, and nobody keeps a list of who does what: a process
that is started again finds its own jobs, and those that are done, by itself.
"""

from dataclasses import dataclass

from nvs_jax.errors import InputError

_WEEK_MS = 7 * 24 * 3600 * 1000


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

    def name(self, stem: str) -> str:
        """Of a .json file that every process writes.

        >>> Share(0, 1).name("summary"), Share(1, 3).name("summary")
        ('summary.json', 'summary-1-of-3.json')
        """
        return f"{stem}.json" if self.count == 1 else f"{stem}-{self.index}-of-{self.count}.json"


def join_cluster() -> Share:
    """Meet the other processes (`jax.distributed`), before anything else of JAX is used.

    On TPU pods, under Slurm, Open MPI and Kubernetes JAX finds out who they are. Elsewhere JAX_COORDINATOR_ADDRESS,
    JAX_NUM_PROCESSES and JAX_PROCESS_ID say so.

    Raises:
        InputError: nothing says who the others are, or they cannot be reached.
    """
    import os

    import jax

    count, index = os.environ.get("JAX_NUM_PROCESSES"), os.environ.get("JAX_PROCESS_ID")
    try:
        jax.distributed.initialize(
            num_processes=None if count is None else int(count), process_id=None if index is None else int(index)
        )
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            "no cluster is found: set JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID, or use "
            f"--shard ({reason})"
        ) from None
    return Share(jax.process_index(), jax.process_count())


def first_says(answer: bool) -> bool:
    """The first process's answer, in all of them."""
    from jax.experimental.multihost_utils import broadcast_one_to_all

    return bool(broadcast_one_to_all(answer))


def wait_for_all(name: str) -> None:
    """Until every process has come here, be it days later.

    Not JAX's own barrier: it computes something on all devices, and on CPUs gives up when the others are half a minute
    late.
    """
    from orbax.checkpoint.multihost import get_barrier_sync_fn

    get_barrier_sync_fn()(key=name, timeout_ms=_WEEK_MS)
