"""One process at a time: locks of the system's, which end with the process that holds them, however it ends."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nvs_jax.errors import InputError


class BusyError(InputError):
    """Another process is working on the same thing."""


@contextmanager
def locked_folder(folder: Path, name: str, out: Path) -> Iterator[None]:
    """Make `folder` and hold the lock in it. The block may remove the folder.

    Args:
        folder: where the lock is.
        name: of the lock's file in it, which holds the number of the process.
        out: what it is about, for messages.

    Raises:
        BusyError: another process holds it.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = _lock(folder / name)
        except FileNotFoundError:  # another process finished with the folder and removed it
            continue
        except BlockingIOError:
            who = _content(folder / name)
            raise BusyError(f"process {who} is working on {out}: wait for it, or choose another --out") from None
        if file is not None:
            break
    try:
        os.truncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(file)


@contextmanager
def one_at_a_time(path: Path, out: Path) -> Iterator[None]:
    """Hold a lock on a file that is kept, and made where there is none, and then removed if it stays empty.

    Args:
        path: the file; it is not changed.
        out: what it is about, for messages.

    Raises:
        BusyError: another process holds it.
    """
    file, made, made_folder = None, not path.exists(), not path.parent.exists()
    while file is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = _lock(path)
        except BlockingIOError:
            raise BusyError(f"another process is working on {out}: wait for it, or choose another --out") from None
    try:
        yield
    finally:
        if made and os.fstat(file).st_size == 0:
            path.unlink(missing_ok=True)
            if made_folder and not any(path.parent.iterdir()):
                path.parent.rmdir()
        os.close(file)


def _lock(path: Path) -> int | None:
    """Open a file and lock it; None where somebody removed it meanwhile: a lock on such a file locks nobody out.

    Raises:
        BlockingIOError: another process holds the lock.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(file), os.lstat(path)):
            return file
    except FileNotFoundError:
        pass
    except OSError as error:
        os.close(file)
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise BlockingIOError(error.errno, os.strerror(error.errno), str(path)) from None
        raise OSError(error.errno, os.strerror(error.errno or errno.ENOLCK), str(path)) from None
    os.close(file)
    return None


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(20).decode("ascii", "replace").strip()
    except OSError:
        return ""
