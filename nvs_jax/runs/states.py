"""The sampler's state as one file: the SHA-256 of what follows, then NumPy's .npz with the arrays in their order."""

import hashlib
import io
import os
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.diffusion.sampler import Carry
from nvs_jax.disk import atomic_path
from nvs_jax.disk.files import read_bounded
from nvs_jax.errors import InputError

_DIGEST = hashlib.sha256().digest_size
_BESIDES = 2**16
"""Bytes of a file that are not numbers: names and headers of a few arrays, and the digest."""


def write_state(path: Path, carry: Carry) -> None:
    """Write a state; the file is there, whole, when this returns.

    Raises:
        OSError: it could not be written; the error names `path`, where nothing is then, or what was.
    """
    content = io.BytesIO()
    np.savez(content, *_leaves(carry))
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(hashlib.sha256(content.getbuffer()).digest() + content.getbuffer())
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from None


def read_state(path: Path, fresh: Carry) -> Carry | None:
    """A state, placed as `fresh` is, whose shapes it must have; None if a byte of it is not as it was written."""
    wanted = _leaves(fresh)
    try:
        content = read_bounded(path, sum(leaf.nbytes for leaf in wanted) + _BESIDES)
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            return None
        stored = _arrays(content[_DIGEST:])
    except (InputError, OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    if [(leaf.shape, leaf.itemsize) for leaf in stored] != [(leaf.shape, leaf.itemsize) for leaf in wanted]:
        return None
    # A file has no name for bfloat16: its bytes are what they were.
    arrays = [jnp.asarray(leaf.view(like.dtype)) for leaf, like in zip(stored, wanted, strict=True)]
    x, memory, step, key, records = jax.tree.unflatten(jax.tree.structure(_parts(fresh)), arrays)
    return Carry(x, memory, step, jax.random.wrap_key_data(key, impl=jax.random.key_impl(fresh.key)), records)


def _parts(carry: Carry) -> tuple:
    return carry.x, carry.memory, carry.step, jax.random.key_data(carry.key), carry.records


def _leaves(carry: Carry) -> list[np.ndarray]:
    """The arrays of a state, on the host: a process saves its own, whatever other processes do."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(_parts(carry))]


def _arrays(content: bytes) -> list[np.ndarray]:
    """The arrays of an .npz whose numbers lie in it as they are: unpacked, it is no larger.

    Raises:
        ValueError: they are packed, or no numbers.
        BadZipFile: it is none.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("packed arrays")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return [arrays[name] for name in arrays.files]
