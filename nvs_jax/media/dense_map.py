"""COLMAP's dense depth maps: `*.geometric.bin` and `*.photometric.bin`.

The text `width&height&channels&`, then float32, little-endian, row by row: COLMAP's `Mat`, as
https://github.com/colmap/colmap/blob/main/scripts/python/read_write_dense.py reads it. 0 is unknown.
"""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.media.photo import check_megapixels

_HEADER = re.compile(rb"(\d{1,9})&(\d{1,9})&(\d{1,9})&")


def read_dense_map(path: Path, max_megapixels: int | float) -> Float[np.ndarray, "h w"]:
    """Read a map; its header is judged before its values are read.

    Raises:
        InputError: not such a file, too large, or cut short.
        OSError: not readable.
    """
    with path.open("rb") as stream:
        header = _HEADER.match(stream.read(40))
        if header is None:
            raise InputError(f"{path}: not a dense map of COLMAP: it must begin with 'width&height&channels&'")
        width, height, channels = (int(number) for number in header.groups())
        if channels != 1:
            raise InputError(f"{path}: {channels} channels; a depth map has one (is it a map of normals?)")
        check_megapixels(width, height, max_megapixels, path)
        stream.seek(header.end())
        values = stream.read(4 * width * height + 1)
    if len(values) != 4 * width * height:
        raise InputError(f"{path}: not as long as its header says; write it again")
    return np.frombuffer(values, "<f4").reshape(height, width)
