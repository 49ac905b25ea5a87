"""Work on a target wherever it is: a folder of this machine, or one in an object store."""

from contextlib import AbstractContextManager
from pathlib import Path

from nvs_jax.disk.bucket import finish, work_in_bucket
from nvs_jax.disk.destination import Kind
from nvs_jax.disk.work import Work, recover_here, work_here
from nvs_jax.remote import address_of


def work_on(out: Path, kind: Kind) -> AbstractContextManager[Work]:
    """Work on a target; see `nvs_jax.disk.work` and `nvs_jax.disk.bucket`.

    Args:
        out: the target, resolved.
        kind: what it becomes.

    Raises:
        InputError: another process of this machine works on it, or the work folder's name is taken.
        OSError: the disk, or the store.
    """
    return work_here(out, kind) if address_of(out) is None else work_in_bucket(out, kind)


def recover(out: Path, kind: Kind) -> None:
    """Bring a target into the state before or after a replacement that was left half done; states of runs stay.

    Raises:
        BusyError: another process of this machine works on it.
        OSError: the disk, or the store.
    """
    if address_of(out) is None:
        recover_here(out, kind)
    else:
        finish(out)
