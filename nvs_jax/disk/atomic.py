"""Files that appear complete or not at all: written under a temporary name beside the target, then renamed.

A run that is killed halfway therefore never leaves a video that ends early or a folder with some of its frames. They
are for single files, and for what lies inside a folder that `nvs_jax.disk.publishing` puts in its place.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nvs_jax.disk.moves import exchange, signals_held, sync_file


def _beside(path: Path) -> Path:
    """A free name in the same folder (a rename must not cross file systems) with the same suffix (writers read it)."""
    return path.with_name(f".{path.stem}.{os.urandom(4).hex()}{path.suffix}")


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file under the name this yields; it becomes `path` when the block ends, and is removed if it raises.

    Parent folders are made. An existing file is replaced.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "note.txt") as temporary:
    ...         _ = temporary.write_text("done")
    ...     [entry.name for entry in Path(folder).iterdir()]
    ['note.txt']
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(target)
    try:
        yield temporary
        sync_file(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """The same for a folder: the one this yields (empty) becomes `path`, whose former contents are replaced as a whole.

    A folder cannot be renamed over a full one, so the two change their names; where the file system has no such step,
    the former one is first moved aside, and comes back if that fails.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
    temporary, former = _beside(target), _beside(target)
    temporary.mkdir()
    try:
        yield temporary
        with signals_held():
            if not target.exists():
                temporary.rename(target)
            elif not exchange(temporary, target):
                target.rename(former)
                temporary.rename(target)
    except BaseException:
        if former.exists() and not target.exists():
            former.rename(target)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if target.exists():
            shutil.rmtree(former, ignore_errors=True)
