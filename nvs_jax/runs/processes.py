"""Several processes that share one render: they meet, stop together, and none outlives another that it needs."""

import atexit
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from nvs_jax.errors import InputError
from nvs_jax.runs.endings import exit_code
from nvs_jax.runs.presence import Board, Patience, Presence
from nvs_jax.runs.relay import relay
from nvs_jax.runs.shares import Share
from nvs_jax.runs.stopping import Stopped, StopRequest
from nvs_jax.saying import say

_WEEK_MS = 7 * 24 * 3600 * 1000
PATIENT = Patience()


@dataclass(frozen=True)
class Cluster:
    """The processes that have met.

    Attributes:
        share: which of them this is.
        board: what all can read and write.
        first_gone: set when the first one cannot be reached any more.
    """

    share: Share
    board: Board
    first_gone: threading.Event = field(default_factory=threading.Event)


class StopTogether(StopRequest):
    """A request to stop that all processes of a render obey at the same point, whichever of them was asked."""

    def __init__(self, own: StopRequest):
        super().__init__()
        self._own = own

    def obey(self, where: str) -> None:
        """See `StopRequest.obey`; every process must come here."""
        import numpy as np
        from jax.experimental.multihost_utils import process_allgather

        mine = np.array([self._own.wanted, self._own.interrupted])
        asked = np.asarray(process_allgather(mine)).reshape(-1, 2)
        self.wanted, self.interrupted = bool(asked[:, 0].any()), bool(asked[:, 1].any())
        if self.wanted and not self._own.wanted:
            told = ", ".join(str(index) for index in np.flatnonzero(asked[:, 0]))
            say(f"process {told} of {len(asked)} was told to stop: all stop")
        super().obey(where)


def join_cluster() -> Cluster:
    """Meet the other processes (`jax.distributed`), before anything else of JAX is used.

    On TPU pods, under Slurm, Open MPI and Kubernetes JAX finds out who they are. Elsewhere JAX_COORDINATOR_ADDRESS,
    JAX_NUM_PROCESSES and JAX_PROCESS_ID say so.

    Raises:
        InputError: nothing says who the others are, or they cannot be reached.
    """
    import jax
    from jax._src.clusters import ClusterEnv
    from jax._src.distributed import global_state

    count, index = os.environ.get("JAX_NUM_PROCESSES"), os.environ.get("JAX_PROCESS_ID")
    first_gone = threading.Event()
    jax.config.update("jax_enable_preemption_service", False)  # signals are `stop_on_signals`'
    try:
        address, processes, own, devices = ClusterEnv.auto_detect_unset_distributed_params(
            os.environ.get("JAX_COORDINATOR_ADDRESS"),
            None if count is None else int(count),
            None if index is None else int(index),
            None,
            None,
            300,
        )
        if address is not None and own:  # an `own` of 0 is the first one, which all others ask
            address = relay(address, first_gone.set)
        jax.distributed.initialize(address, processes, own, devices, cluster_detection_method="deactivate")
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"no cluster is found: set JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID ({reason})"
        ) from None
    assert global_state.client is not None
    return Cluster(Share(jax.process_index(), jax.process_count()), global_state.client, first_gone)


@contextmanager
def in_company(cluster: Cluster, stop: StopRequest, patience: Patience = PATIENT) -> Iterator[Presence]:
    """Around the work of processes that have met: while it lasts each of them knows that the others are there.

    One that is missing ends this process from a thread, with exit code 69. Once the block has ended no process waits
    for the others, however it did.
    """
    presence = Presence(cluster.share, cluster.board, stop, cluster.first_gone, patience)
    presence.start()
    code = 0
    try:
        yield presence
        presence.part()
    except Stopped as error:
        code = exit_code(error)
        presence.part()
        raise
    except BaseException as error:
        code = exit_code(error)
        if code == 1:  # perhaps only because another one is gone
            presence.wait_for_news()
        presence.leave(code)
        raise
    finally:
        atexit.register(_end_apart, code)  # comes before what JAX registered, which waits for all


def _end_apart(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)


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
