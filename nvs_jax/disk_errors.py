"""Orbax on a disk that is full or cannot be written: one error, in the system's words, and nothing in the log."""

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def orbax_writes(path: Path, size: int) -> Iterator[None]:
    """Around what Orbax writes, waiting for it included.

    Orbax and what is below it raise many things when a disk is full, all of which quote the system, and print each of
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
        if not isinstance(error, OSError) and os.strerror(errno.ENOSPC) not in str(error):
            raise
        code = getattr(error, "errno", None) or errno.ENOSPC
        raise OSError(code, os.strerror(code), str(path)) from error
    for log, level in levels.items():
        log.setLevel(level)
