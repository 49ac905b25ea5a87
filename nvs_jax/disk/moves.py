"""The system calls by which a folder takes its place, and what makes them last: exchange, rename, fsync."""

import errno
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def exchange(one: Path, other: Path) -> bool:
    """Give each of two folders the other's name, in one step that nothing can come between.

    Returns:
        Whether it was done. It was not, and nothing has changed, where the system or the file system has no such step
        (`renameat2` of Linux; not every network disk).

    Raises:
        OSError: another reason: one of them is gone, or may not be moved.
    """
    import ctypes  # which --help need not wait for

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def sync_tree(folder: Path) -> None:
    """Have every file and folder at and below `folder` on the disk itself, so that a power cut does not take them.

    Raises:
        OSError: the disk is full or broken; some file systems say so only now.
    """
    for above, _, names in os.walk(folder):
        for name in names:
            sync_file(Path(above, name))
        sync_folder(Path(above))


def sync_file(path: Path) -> None:
    """The same for one file."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(file)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or errno.EIO), str(path)) from None
    finally:
        os.close(file)


def sync_folder(path: Path) -> None:
    """The names in a folder, as far as its file system knows such a thing."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(file)


def is_mount_point(path: Path) -> bool:
    """Whether another disk or folder is mounted at `path`, so that no folder can be moved there."""
    if os.path.ismount(path):
        return True
    try:  # a folder of the same disk, as containers mount them, looks like any other
        mounts = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return False
    wanted = os.fsencode(path)
    return any(_unescaped(mount.split()[4]) == wanted for mount in mounts)


def _unescaped(path: bytes) -> bytes:
    r"""As /proc writes names.

    >>> _unescaped(rb"/a\040b")
    b'/a b'
    """
    for character in b" \t\n\\":
        path = path.replace(b"\\%03o" % character, bytes([character]))
    return path


@contextmanager
def signals_held() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP wait until the block has ended.

    Python calls handlers in its main thread only; in another one nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    former = {number: signal.getsignal(number) for number in _HELD}
    try:
        # Handlers, not a mask: the system would hand a masked signal to another thread, and end the process.
        for number, handler in former.items():
            if handler is not None:  # None: somebody else's, not Python's
                signal.signal(number, note)
        yield
    finally:
        for number, handler in former.items():
            if handler is not None:
                signal.signal(number, handler)
        for number in dict.fromkeys(came):
            os.kill(os.getpid(), number)
