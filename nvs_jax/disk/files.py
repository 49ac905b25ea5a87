"""Files that others wrote, judged before memory is taken, here or in an object store. No JAX here."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from nvs_jax.disk.atomic import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.remote import Address, address_of, delete, read, write

_MOST_JSON = 2**26
"""Bytes; the longest is the index of a sharded network's weights."""
_POINTER = b"version https://git-lfs.github.com/spec/"


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a regular file, or of an object at the address that a path carries, of at most so many bytes.

    The size is not asked for: that of a device or a pipe is 0, whatever comes out of it.

    Raises:
        InputError: it is missing, larger, or a folder, a device or a pipe.
        OSError: it cannot be read.
    """
    address = address_of(path)
    if address is not None:
        content = read(address, most)
        if content is None:
            raise InputError(f"{address} does not exist")
        return content
    try:
        # Not to wait for a pipe's other end.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise InputError(f"{path} is no regular file")
    with os.fdopen(file, "rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise InputError(f"{path} is larger than such a file can be ({most} bytes)")
    return content


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InputError: the file is missing, too large, not JSON, or holds no object.
    """
    try:
        published = json.loads(read_bounded(path, _MOST_JSON).decode("utf-8"))
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:  # ValueError: not UTF-8, not JSON, or endless digits
        raise InputError(f"{path} is not readable JSON: {error}") from None
    if not isinstance(published, dict):
        raise InputError(f"{path} holds a JSON {type(published).__name__}, not an object")
    return published


def write_text(path: Path, text: str) -> None:
    """Write a file, here or in an object store, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    address = address_of(path)
    if address is not None:
        write(address, text.encode())
        return
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_file(path: Path) -> None:
    """Remove a file, here or in an object store, if it is there.

    Raises:
        OSError: it cannot be removed.
    """
    address = address_of(path)
    if address is None:
        path.unlink(missing_ok=True)
    else:
        delete(Address(address.scheme, address.name.rpartition("/")[0]), [path.name])


def refuse_pointer(path: str | os.PathLike[str]) -> None:
    """Refuse what Git leaves in place of a large file that was not fetched; see git-lfs.com.

    Raises:
        InputError: `path` is a Git LFS pointer.
    """
    if not Path(path).is_file():
        return
    with Path(path).open("rb") as stream:
        if stream.read(len(_POINTER)) == _POINTER:
            raise InputError(f"{path} is a Git LFS pointer, not the file itself: fetch it with `git lfs pull`")
