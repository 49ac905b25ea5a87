"""What can be done in an object store, through fsspec: nothing is cached, and whatever fails is one OSError.

There are no folders and no renames: a folder is what begins with its name, and each object appears whole.
"""

import errno
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nvs_jax.errors import InputError
from nvs_jax.remote.address import DRIVERS, Address

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

MOST_OBJECTS = 20_000
"""In a folder that is listed."""
_ONE_BY_ONE = 4
_DRIVERS_ERRORS = ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google", "requests", "urllib3", "s3fs", "fsspec")


def require_driver(address: Address) -> None:
    """Look whether an address can be reached at all, without asking the store.

    Raises:
        InputError: its driver is not installed, or it names no bucket.
    """
    _store(address)


def listing(address: Address, most: int = MOST_OBJECTS) -> dict[str, int]:
    """Sizes in bytes of all objects at or below an address, by name relative to it: "" is an object at it.

    Raises:
        InputError: there are more than so many.
        OSError: the store cannot be asked.
    """
    with remote_errors(address):
        try:
            found: Any = _store(address).find(address.name, detail=True)
        except FileNotFoundError:
            return {}
    sizes = {
        name.removeprefix(address.name).removeprefix("/"): int(entry["size"] or 0)
        for name, entry in ((str(name).strip("/"), entry) for name, entry in found.items())
        if entry["type"] == "file" and not str(entry["name"]).endswith("/")
    }
    if len(sizes) > most:
        raise InputError(f"{address} holds {len(sizes)} files, more than {most}: give a smaller folder")
    return sizes


def find(pattern: Address) -> list[Address]:
    """The objects whose names are like a pattern: *, ?, [abc], and ** for any folders.

    Raises:
        OSError: the store cannot be asked.
    """
    with remote_errors(pattern):
        found: Any = _store(pattern).glob(pattern.name, detail=True)
    names = [str(name).strip("/") for name, entry in found.items() if entry["type"] == "file"]
    return [Address(pattern.scheme, name) for name in names]


def is_there(address: Address) -> bool:
    """Whether there is an object at or below an address.

    Raises:
        OSError: the store cannot be asked.
    """
    with remote_errors(address):
        return _store(address).exists(address.name)


def read(address: Address, most: int) -> bytes | None:
    """An object of at most so many bytes; None where there is none.

    Raises:
        InputError: it is larger.
        OSError: it cannot be read.
    """
    with remote_errors(address):
        try:
            known = _store(address).info(address.name)
            if known["type"] != "file":
                return None
            if not known["size"]:  # of which there is no first part to ask for
                return b""
            content: Any = _store(address).cat_file(address.name, start=0, end=most + 1)
        except (FileNotFoundError, IsADirectoryError):
            return None
    if len(content) > most:
        raise InputError(f"{address} is larger than such a file can be ({most} bytes)")
    return content


def write(address: Address, content: bytes) -> None:
    """Write an object; it is there, whole, when this returns.

    Raises:
        OSError: it could not be written.
    """
    with remote_errors(address):
        _store(address).pipe_file(address.name, content)


def download(folder: Address, names: Iterable[str], to: Path) -> None:
    """Files of a folder to the same names below a local one, which are made.

    Raises:
        OSError: one could not be read, or not be written here.
    """
    chosen = list(names)
    for name in chosen:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
    if chosen:
        with remote_errors(folder):
            _store(folder).get([(folder / name).name for name in chosen], [str(to / name) for name in chosen])


def upload(source: Path, names: Iterable[str], folder: Address) -> None:
    """Files below a local folder to the same names below `folder`.

    Raises:
        OSError: one could not be written.
    """
    chosen = list(names)
    if chosen:
        with remote_errors(folder):
            _store(folder).put([str(source / name) for name in chosen], [(folder / name).name for name in chosen])


def copy(source: Address, names: Iterable[str], folder: Address) -> None:
    """Objects below `source` to the same names below `folder`, of the same store, which does it by itself.

    Raises:
        OSError: one could not be copied.
    """
    chosen = list(names)
    if chosen:
        with remote_errors(folder):
            _store(folder).copy([(source / name).name for name in chosen], [(folder / name).name for name in chosen])


def delete(folder: Address, names: Iterable[str]) -> None:
    """Delete objects below a folder; those that are not there are left out.

    Raises:
        OSError: one could not be deleted.
    """
    chosen = list(names)
    if len(chosen) > _ONE_BY_ONE:  # then the driver does them together, but must not be asked for what is not there
        there = listing(folder)
        together = [name for name in chosen if name in there and not set(name) & set("*?[]")]
        with remote_errors(folder), suppress(FileNotFoundError):  # as some say of an empty list
            _store(folder).rm([(folder / name).name for name in together])
        chosen = [name for name in chosen if name not in together]
    for name in chosen:
        with remote_errors(folder), suppress(FileNotFoundError):
            _store(folder).rm_file((folder / name).name)


@contextmanager
def remote_errors(address: Address) -> Iterator[None]:
    """Around what a driver does: whatever it raises is an OSError in one line that names the address.

    Raises:
        OSError: the store, the network or the credentials.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        known = isinstance(error, OSError)
        if not known and type(error).__module__.split(".")[0] not in _DRIVERS_ERRORS:
            raise
        raise OSError(getattr(error, "errno", None) or errno.EIO, _reason(error), str(address)) from error


def _reason(error: Exception) -> str:
    """What a driver says, in one line."""
    said = re.sub(r"\s+", " ", str(getattr(error, "strerror", None) or error)).strip()
    return said[:300] or type(error).__name__


def _store(address: Address) -> "AbstractFileSystem":
    """The driver, which finds its credentials itself, and remembers no listing.

    Raises:
        InputError: it is not installed, or the address names no bucket.
    """
    import fsspec

    if not address.name.partition("/")[0]:
        raise InputError(f"{address} names no bucket: write {address.scheme}://BUCKET/NAME")
    options: Mapping[str, Any] = {"use_listings_cache": False}
    try:
        return fsspec.filesystem(address.scheme, **options)
    except ImportError:
        extra = DRIVERS[address.scheme]
        raise InputError(
            f"{address} needs a driver that is not installed: pip install 'nvs-jax[{extra}]', or give a local path"
        ) from None
