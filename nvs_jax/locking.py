"""One process at a time on one result. No JAX here."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nvs_jax.errors import InputError

LOCK = "lock"
"""The file, beside what it guards."""


@contextmanager
def locked(folder: Path, out: Path) -> Iterator[None]:
    """Make `folder` and hold its lock, which the system releases when the process ends, however it ends.

    The block may remove the folder.

    Args:
        folder: where the lock is.
        out: what it is about, for messages.

    Raises:
        InputError: another process holds it.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # another process finished with the folder and removed it
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            who = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            os.close(file)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise InputError(f"process {who} is working on {out}: wait for it, or choose another --out") from None
        if (folder / LOCK).exists() and os.path.samestat(os.fstat(file), (folder / LOCK).stat()):
            break
        os.close(file)  # a lock on a removed file locks nobody out
    try:
        os.truncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(file)
