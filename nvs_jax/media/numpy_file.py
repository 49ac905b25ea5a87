"""NumPy's .npy and .npz: sizes are judged from the headers before memory is taken, and nothing is unpickled."""

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from jaxtyping import Shaped

from nvs_jax.errors import InputError

Stream = IO[bytes] | BufferedIOBase

DAMAGE = (
    *(ValueError, OSError, EOFError, SyntaxError, LookupError, ArithmeticError, MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError),
)
"""What the parsers of numpy and zipfile raise on damaged bytes. Not TypeError: that would be a bug of ours."""
MOST_MEMBERS = 1000
_CHUNK = 2**24


@contextmanager
def reading(path: Path, what: str = "") -> Iterator[None]:
    """What the parsers of a damaged file raise, as an InputError that names it."""
    try:
        yield
    except InputError:
        raise
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise InputError(
            " ".join(filter(None, (f"{path}:", what, f"cannot be read ({reason}); write it again")))
        ) from error


class Header(NamedTuple):
    """What an array says of itself.

    Attributes:
        shape: its lengths.
        fortran: whether the first axis varies fastest.
        dtype: of its numbers.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype

    @property
    def is_sound(self) -> bool:
        """Whether it holds numbers or truths, and its lengths are some."""
        return self.dtype.kind in "fiub" and all(type(side) is int and side >= 0 for side in self.shape)


def read_header(stream: Stream) -> Header:
    """The header of an array; the stream stands before the first number then.

    Raises:
        ValueError: it is not one. Other damage: see `DAMAGE`.
    """
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        return Header(*read(stream))
    except TypeError as error:  # numpy sorts the header's keys before it knows that they are names
        raise ValueError("the header is not numpy's") from error


def read_values(stream: Stream, header: Header, path: Path, shape: tuple[int, ...]) -> Shaped[np.ndarray, "..."]:
    """The next values of an array; the caller has judged how many those are.

    Raises:
        InputError: the file ends before.
    """
    wanted = prod(shape) * header.dtype.itemsize
    values = stream.read(wanted)
    if len(values) < wanted:
        raise InputError(f"{path}: the file ends early; write it again")
    return np.frombuffer(values, header.dtype).reshape(shape, order="F" if header.fortran else "C")


def skip(stream: Stream, count: int) -> None:
    """Pass over so many bytes."""
    while count > 0 and (passed := len(stream.read(min(count, _CHUNK)))):
        count -= passed


def member_names(path: Path) -> list[str]:
    """The names of the arrays in an .npz.

    Raises:
        InputError: there are too many.
    """
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    if len(names) > MOST_MEMBERS:
        raise InputError(f"{path}: holds {len(names)} arrays, more than the {MOST_MEMBERS} that are looked at")
    return names


@contextmanager
def open_member(path: Path, name: str | None) -> Iterator[Stream]:
    """An array's bytes: of a member of an .npz, or, without a name, of an .npy."""
    if name is None:
        with path.open("rb") as stream:
            yield stream
    else:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as stream:
            yield stream


def small_array(path: Path, name: str, most: int) -> Shaped[np.ndarray, "..."]:
    """A whole member of an .npz, such as its cameras.

    Raises:
        InputError: not numbers, or more than `most` of them.
    """
    with open_member(path, name) as stream:
        header = read_header(stream)
        if not header.is_sound or prod(header.shape) > most:
            raise InputError(f"{path}: '{name}' must be at most {most} numbers, not {header.shape} of {header.dtype}")
        return read_values(stream, header, path, header.shape)
