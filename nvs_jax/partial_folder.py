"""A folder that takes long to write and appears when it is complete, under names that tell whose leftovers are whose.

`atomic_folder` would do for what takes seconds. A conversion writes gigabytes for minutes and may well be killed: what
it leaves, NAME.partial-PID, is found and removed by the next one to the same name.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def partial_folder(path: Path) -> Iterator[Path]:
    """Write a folder under the name this yields; it becomes `path` when the block ends, and is removed if it raises.

    An existing folder at `path` is replaced.
    """
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    replaced = path.with_name(f"{path.name}.replaced-{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        yield partial
        if path.exists():
            path.rename(replaced)
        partial.rename(path)
        shutil.rmtree(replaced, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def remove_leftovers(path: Path) -> None:
    """Remove what processes that are gone left beside `path` while they wrote it.

    Where they had moved aside what was there and not yet put theirs in its place, it is moved back.
    """
    if not path.parent.is_dir():
        return
    for left in path.parent.iterdir():
        named = re.fullmatch(re.escape(path.name) + r"\.(partial|replaced)-(\d{1,9})", left.name)
        if not named or _runs(int(named[2])):
            continue
        if named[1] == "replaced" and not path.exists():
            left.rename(path)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether another process of this machine has this number (our own would be a killed one's before us)."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
