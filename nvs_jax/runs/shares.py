"""Several processes that share a list of jobs.

A list is shared by a plain rule, job i is that of process i mod n. No process waits for another, nothing is handed out,
and nobody keeps a list of who does what: a process that is started again finds its own jobs, and those that are done,
by itself. They never meet, so that none is taken along when another one ends.
"""

import os
from dataclasses import dataclass

from nvs_jax.errors import InputError


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
