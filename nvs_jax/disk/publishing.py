"""A folder takes its place: in one step, complete, and on the disk. What it replaces is deleted after that."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nvs_jax.disk.bucket import BucketWork
from nvs_jax.disk.destination import Kind, check_free, resolved
from nvs_jax.disk.manifest import read_manifest, seal
from nvs_jax.disk.moves import exchange, signals_held, sync_folder, sync_tree
from nvs_jax.disk.targets import work_on
from nvs_jax.disk.work import Work
from nvs_jax.errors import InputError

PUBLISHED: list[Path] = []
"""Folders that this process has put in their place."""


@contextmanager
def published_folder(out: Path, kind: Kind, *, overwrite: bool, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """Write a folder under the name this yields; it becomes `out` when the block ends, and is removed if it raises.

    Args:
        out: the folder to make; one process at a time.
        kind: of the folder; its record is completed.
        overwrite: replace an earlier one of the same kind.
        inputs: what is read to make it.

    Raises:
        InputError: `out` may not be written to (said before the block), or not any more (said after it; what was made
            is kept under another name).
        OSError: the disk.
    """
    place = resolved(out, kind, inputs)
    with work_on(place, kind) as work:
        check_free(place, kind, overwrite=overwrite)
        work.staged.mkdir()
        yield work.staged
        publish(work)


def publish(work: Work) -> None:
    """Put the complete folder in its place, then delete what it replaces and the work folder. Signals wait meanwhile.

    Raises:
        InputError: something is there that may not be replaced; what was made is kept beside it.
        OSError: the disk is full or broken; the former is as it was.
    """
    seal(work.staged, work.kind.record, work.id)
    if isinstance(work, BucketWork):
        work.take_place()
        PUBLISHED.append(work.out)
        return
    sync_tree(work.staged)
    with signals_held():
        former = _put_in_place(work)
        PUBLISHED.append(work.out)
        sync_folder(work.out.parent)
        if former is not None:
            work.dispose(former)
        work.clear()


def _put_in_place(work: Work) -> Path | None:
    """The step itself; where the former target is now, if there was one."""
    try:
        if work.out.is_symlink() or not work.out.is_dir() or not any(work.out.iterdir()):
            work.staged.rename(work.out)  # replaces an empty folder, never a file, a link or what holds something
            return None
        if read_manifest(work.out, work.kind.record) is None:
            raise FileExistsError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(work.out))
        if exchange(work.staged, work.out):
            work.staged.rename(work.former)
        else:
            work.out.rename(work.former)
            work.staged.rename(work.out)
        return work.former
    except OSError as error:
        return _put_beside(work, error)


def _put_beside(work: Work, error: OSError) -> None:
    """Where the place cannot be taken, which nobody could know before: no work is lost for that.

    Raises:
        InputError: always, to say where it is.
    """
    if work.former.exists() and not os.path.lexists(work.out):
        work.former.rename(work.out)
    kept = work.out.with_name(f"{work.out.name}-{work.id[:8]}")
    work.staged.rename(kept)
    PUBLISHED.append(kept)
    work.clear()
    raise InputError(f"{work.out} cannot be replaced ({error.strerror}): what was made is in {kept}") from None
