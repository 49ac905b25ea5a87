"""Orbax on a disk that is full or cannot be written: one error, in the system's words, and nothing in the log."""

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
"""Full; a quota, or a limit of a file's size, reached; broken; made read-only, as systems do with broken ones."""


@contextmanager
def orbax_writes(path: Path, size: int) -> Iterator[None]:
    """Around what Orbax writes, waiting for it included.

    Orbax and what is below it raise many things when a disk fails, all of which quote the system, and print each of
    them with a traceback from every one of their threads. So there is a look at the disk first.

    Args:
        path: a folder that is there, where it writes; the error names it.
        size: bytes that it will write.

    Raises:
        OSError: it could not be written.
    """
    if shutil.disk_usage(path).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    levels = {log: log.level for log in map(logging.getLogger, ("absl", "asyncio"))}
    for log in levels:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    except Exception as error:
        # The logs stay as they are: asyncio prints what was lost when it is collected.
        code = _code(error)
        if code is None:
            raise
        raise OSError(code, os.strerror(code), str(path)) from error
    for log, level in levels.items():
        log.setLevel(level)


def _code(error: BaseException) -> int | None:
    """The system's number for what failed: of the error, of what it wraps, or from the words it quotes."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    quoted = next((code for code in DISK if os.strerror(code) in str(error)), None)
    if quoted is not None:
        return quoted
    inner = [*getattr(error, "exceptions", ()), error.__cause__]
    return next((code for one in inner if one is not None and (code := _code(one)) is not None), None)
