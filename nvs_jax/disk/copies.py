"""Copies on this machine of what lies in object stores, since readers read files.

They lie in a folder of this process's among the temporary files (TMPDIR says where), which goes when the process ends.
What a process leaves that is killed, the next one removes: the folder's lock tells them apart.
"""

import atexit
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from nvs_jax.disk.manifest import is_inside
from nvs_jax.disk.paths import MADE
from nvs_jax.errors import InputError
from nvs_jax.remote import COPIES, Address, address_of, download, listing
from nvs_jax.saying import say

_PREFIX, _LOCK = "nvs-jax-copies-", ".lock"
_WORTH_A_LINE = 2**20
"""Bytes; of less there is no need to know where they are."""
_NAMES_SIBLINGS = {"scene"}
"""Options whose files name pictures that lie beside them."""

T = TypeVar("T")


def at_hand(path: str | Path) -> Path:
    """The path itself; of an address a copy of what is there, made once in a process, or itself if nothing is.

    Raises:
        InputError: too many files, or a name that no file here can have.
        OSError: the store or the disk; the disk's free space is looked at first.
    """
    address = address_of(path)
    if address is None:
        return Path(path)
    known = next((copy for copy, of in COPIES.items() if of == address), None)
    return known or _fetch(address, scratch_folder())


@contextmanager
def job_at_hand(job: T) -> Iterator[T]:
    """A job whose inputs are on this machine; copies are made for the block, but for weights, which stay addresses.

    Raises:
        InputError: see `at_hand`.
        OSError: see `at_hand`.
    """
    before, made = set(COPIES), set[Path]()
    try:
        try:
            near = _with_copies(job)
        finally:
            made = COPIES.keys() - before
        yield near
    finally:
        for copy in made:
            del COPIES[copy]
            shutil.rmtree(copy.parent, ignore_errors=True)


def _with_copies(job: T) -> T:
    changes: dict[str, Any] = {}
    for field in fields(job):  # type: ignore[arg-type]
        value = getattr(job, field.name)
        if is_dataclass(value):
            changes[field.name] = _with_copies(value)
        elif isinstance(value, Path) and field.name not in MADE and address_of(value) is not None:
            changes[field.name] = _with_siblings(value) if field.name in _NAMES_SIBLINGS else at_hand(value)
    changed = {name: value for name, value in changes.items() if value is not getattr(job, name)}
    return replace(job, **changed) if changed else job  # type: ignore[type-var]


def _with_siblings(path: Path) -> Path:
    """A copy of a file beside all that lies beside it and below; of a folder, of that."""
    address = address_of(path)
    if address is not None and "" in listing(address):
        return at_hand(path.parent) / path.name
    return at_hand(path)


def _fetch(address: Address, scratch: Path) -> Path:
    sizes = listing(address)
    if not sizes:
        return address.path
    wrong = next((name for name in sizes if name and not is_inside(name)), None)
    if wrong is not None:
        raise InputError(f"{address} holds an object called {wrong!r}, which no file can be: leave it out")
    whole = sum(sizes.values())
    if shutil.disk_usage(scratch).free < whole:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} for the {_amount(whole)} of {address}", str(scratch))
    if whole >= _WORTH_A_LINE:
        say(f"{address}: {len(sizes)} files, {_amount(whole)}, are fetched to {scratch}")
    folder = Path(tempfile.mkdtemp(dir=scratch))
    above, _, name = address.name.rpartition("/")
    copy = folder / (name if above else "bucket")
    if "" in sizes:
        download(Address(address.scheme, above), [name], folder)
    else:
        download(address, sizes, copy)
    COPIES[copy] = address
    return copy


def _amount(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


@cache
def scratch_folder() -> Path:
    """The folder of this process's, which nobody else touches while it lives."""
    root = Path(tempfile.gettempdir())
    _sweep(root)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / _LOCK).exists():  # another process that swept may have come between
            break
        os.close(lock)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not a fork of it
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Remove the folders of processes that were killed: nobody holds their locks."""
    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (folder / _LOCK).unlink()
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
