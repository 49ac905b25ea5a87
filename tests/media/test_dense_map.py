from pathlib import Path

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.media import read_depth
from nvs_jax.media.dense_map import read_dense_map

VALUES = np.array([[1, 2, 3], [4, 5, 0]], np.float32)


def written(path: Path, header: str = "3&2&1&", values: np.ndarray = VALUES) -> Path:
    path.write_bytes(header.encode() + values.astype("<f4").tobytes())
    return path


def test_a_map_by_hand_is_row_by_row(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jpg.geometric.bin")
    np.testing.assert_array_equal(read_depth(path, "depth"), VALUES)
    assert read_depth(path, "depth").dtype == np.float32


def test_as_colmaps_own_script_reads_it(tmp_path: Path) -> None:
    values = np.random.default_rng(0).uniform(1, 9, (5, 7)).astype(np.float32)
    path = written(tmp_path / "a.bin", "7&5&1&", values)
    content = path.read_bytes()
    start = content.rindex(b"&") + 1
    theirs = np.frombuffer(content[start:], np.float32).reshape((7, 5, 1), order="F")
    np.testing.assert_array_equal(read_dense_map(path, 1), np.transpose(theirs, (1, 0, 2)).squeeze())


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "must begin with 'width&height&channels&'"),
        ("3&2&3&", "3 channels; a depth map has one"),
        ("3&3&1&", "not as long as its header says"),
        ("1&2&1&", "not as long as its header says"),
        ("99999&99999&1&", "megapixels"),
        ("0&2&1&", "empty"),
    ],
)
def test_what_is_refused(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_dense_map(written(tmp_path / "a.bin", header), 64)
