"""One safetensors file, read lazily: names, shapes and dtypes from its header, then one tensor at a time.

The safetensors library checks the header before anything is believed (at most 100 MB, offsets in order, without gaps
or overlaps, covering the file exactly), so a damaged file costs neither memory nor time. Here its complaints become
one line that says what to do, and only the floating-point dtypes are read.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from safetensors import SafetensorError, safe_open

from nvs_jax.disk.files import refuse_pointer
from nvs_jax.errors import InputError

READABLE_DTYPES = ("F64", "F32", "F16", "BF16")
_PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


class TensorInfo(NamedTuple):
    """What the header says of a tensor; `dtype` as the format writes it, e.g. "BF16"."""

    shape: tuple[int, ...]
    dtype: str


class SafetensorsFile:
    """A safetensors file, mapped rather than loaded.

    Attributes:
        path: where it is.
        tensors: what it holds, by key.

    Raises:
        InputError: the file is missing, unreadable, truncated, damaged, or something else under this name.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._file = safe_open(path, framework="numpy")
            slices = {key: self._file.get_slice(key) for key in self._file.keys()}  # noqa: SIM118  (not a dict)
        except FileNotFoundError:
            raise InputError(f"{path} is missing: download it again") from None
        except (OSError, SafetensorError) as error:
            raise InputError(_complaint(path, error)) from None
        self.tensors = {key: TensorInfo(tuple(part.get_shape()), part.get_dtype()) for key, part in slices.items()}

    def read(self, key: str) -> np.ndarray:
        """The tensor `key`, copied out of the file (bfloat16 as ml_dtypes has it).

        Raises:
            InputError: its dtype is not a floating-point one that this project reads.
        """
        self._check(key)
        return self._file.get_tensor(key)

    def read_rows(self, key: str, rows: Int[np.ndarray, "*n"]) -> np.ndarray:
        """Rows of the matrix `key`, [*n, columns]; the others are not read.

        Raises:
            InputError: as `read`, or it has fewer rows.
        """
        self._check(key)
        numbers, places = np.unique(rows, return_inverse=True)
        there = self.tensors[key].shape[0]
        if numbers[-1] >= there:
            raise InputError(f"{self.path}: row {numbers[-1]} of {key} is asked for, which has {there}")
        part = self._file.get_slice(key)
        return np.concatenate([part[int(number) : int(number) + 1] for number in numbers])[places.reshape(rows.shape)]

    def _check(self, key: str) -> None:
        dtype = self.tensors[key].dtype
        if dtype not in READABLE_DTYPES:
            raise InputError(f"{self.path}: {key} is {dtype}; only {', '.join(READABLE_DTYPES)} can be converted")


def _complaint(path: Path, error: Exception) -> str:
    """One line on why `path` is no safetensors file."""
    if path.is_file():
        refuse_pointer(path)
        with path.open("rb") as file:
            start = file.read(4)
        if start.startswith(_PICKLE_STARTS):
            return f"{path} is a pickle under another name; pickles are never read: get the safetensors version"
    reason = str(error).removeprefix("Error while deserializing header: ").splitlines()
    return f"{path} is not a sound safetensors file ({reason[0] if reason else 'unreadable'}): download it again"
