import json
import struct
import zipfile
from pathlib import Path

import hypothesis.strategies as st
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from safetensors.numpy import save_file

from convert.safetensors_file import SafetensorsFile, TensorInfo
from nvs_jax.errors import InputError

TENSORS = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b.half": np.array([1.5, -2], np.float16),
    "c.brain": np.array([[0.1, 3e38]], ml_dtypes.bfloat16),
    "d.double": np.array(0.1, np.float64),
    "e.empty": np.zeros((0, 4), np.float32),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "sound.safetensors"
    save_file(TENSORS, path)
    return path.read_bytes()


def write(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(dtype: str = "F32", shape: tuple[int, ...] = (2,), offsets: tuple[int, int] = (0, 8)) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_it_knows_the_tensors_without_reading_them(tmp_path: Path, sound: bytes):
    path = tmp_path / "x.safetensors"
    path.write_bytes(sound)
    dtypes = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}
    assert SafetensorsFile(path).tensors == {
        key: TensorInfo(value.shape, dtypes[value.dtype.name]) for key, value in TENSORS.items()
    }


@pytest.mark.parametrize("key", TENSORS)
def test_a_tensor_is_read_bit_for_bit_in_its_own_dtype(tmp_path: Path, sound: bytes, key: str):
    path = tmp_path / "x.safetensors"
    path.write_bytes(sound)
    read = SafetensorsFile(path).read(key)
    assert read.dtype == TENSORS[key].dtype and read.shape == TENSORS[key].shape
    assert read.tobytes() == TENSORS[key].tobytes()


def test_a_pointer_of_git_lfs_is_named(tmp_path: Path):
    path = tmp_path / "x.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
    with pytest.raises(InputError, match="Git LFS pointer"):
        SafetensorsFile(path)


@pytest.mark.parametrize("dtype", ["I64", "BOOL", "F8_E4M3"])
def test_a_dtype_that_is_not_floating_point_is_refused_when_read(tmp_path: Path, dtype: str):
    size = {"I64": 8, "BOOL": 1, "F8_E4M3": 1}[dtype]
    path = write(tmp_path / "x.safetensors", {"step": entry(dtype, (1,), (0, size))}, b"\0" * size)
    file = SafetensorsFile(path)
    assert file.tensors["step"].dtype == dtype
    with pytest.raises(InputError, match=f"step is {dtype}; only F64, F32, F16, BF16"):
        file.read("step")


BAD_HEADERS = {
    "an unknown dtype": ({"a": entry("F31")}, 8),
    "a negative length": ({"a": entry(shape=(-2,))}, 8),
    "more elements than bytes": ({"a": entry(shape=(3,))}, 8),
    "an overflowing shape": ({"a": entry(shape=(2**40, 2**40))}, 8),
    "data cut short": ({"a": entry()}, 4),
    "data left over": ({"a": entry()}, 12),
    "overlapping tensors": ({"a": entry(), "b": entry(offsets=(4, 12))}, 12),
    "one place for two tensors": ({"a": entry(), "b": entry()}, 8),
    "a gap": ({"a": entry(), "b": entry(offsets=(12, 20))}, 20),
    "offsets backwards": ({"a": entry(offsets=(8, 0))}, 8),
    "a list": ([1, 2], 0),
    "no JSON": (b"{" * 50, 0),
    "no text": (b"\xff\xfe" * 20, 0),
}


@pytest.mark.parametrize("fault", BAD_HEADERS)
def test_a_header_that_contradicts_the_file_is_an_error(tmp_path: Path, fault: str):
    header, length = BAD_HEADERS[fault]
    path = write(tmp_path / "x.safetensors", header, b"\0" * length)
    with pytest.raises(InputError, match=r"x\.safetensors is not a sound safetensors file .*download it again$"):
        SafetensorsFile(path)


@pytest.mark.parametrize("declared", [10**8 + 1, 99_000_000, 2**63, 2**64 - 1])
def test_a_header_longer_than_the_file_is_not_believed(tmp_path: Path, declared: int):
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", declared) + b"{}")
    with pytest.raises(InputError, match="not a sound safetensors file"):
        SafetensorsFile(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 7, b"garbage" * 40])
def test_garbage_is_an_error(tmp_path: Path, content: bytes):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="not a sound safetensors file"):
        SafetensorsFile(tmp_path / "x.safetensors")


def test_a_pickle_under_another_name_is_called_one(tmp_path: Path):
    plain, zipped = tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    plain.write_bytes(b"\x80\x04" + b"K\x01." * 30)
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", "x" * 100)
    for path in (plain, zipped):
        with pytest.raises(InputError, match="is a pickle under another name; pickles are never read"):
            SafetensorsFile(path)


def test_what_is_not_a_file_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match="is missing"):
        SafetensorsFile(tmp_path / "absent.safetensors")
    with pytest.raises(InputError, match="not a sound safetensors file"):
        SafetensorsFile(tmp_path)


def read_all_or_refuse(path: Path, content: bytes) -> None:
    """Whatever the bytes, the only exception is InputError, of one line; and no tensor outgrows the file."""
    path.write_bytes(content)
    try:
        file = SafetensorsFile(path)
        total = sum(file.read(key).nbytes for key in file.tensors)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert total <= len(content)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_flipped_bits_and_cuts_raise_nothing_but_input_error(
    tmp_path_factory: pytest.TempPathFactory, sound: bytes, data: st.DataObject
):
    content = bytearray(sound)
    header_end = 8 + struct.unpack("<Q", sound[:8])[0]
    for position in data.draw(st.lists(st.integers(0, header_end), max_size=4)):
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    read_all_or_refuse(tmp_path_factory.getbasetemp() / "fuzzed.safetensors", bytes(content[:cut]))


@settings(max_examples=200, deadline=None)
@given(
    header=st.dictionaries(
        st.text(max_size=4),
        st.fixed_dictionaries(
            {
                "dtype": st.sampled_from(["F32", "BF16", "I64", "F8_E4M3", "nonsense"]),
                "shape": st.lists(st.integers(-1, 4) | st.integers(2**31, 2**64), max_size=3),
                "data_offsets": st.lists(st.integers(-1, 64) | st.integers(2**62, 2**65), max_size=3),
            }
        ),
        max_size=3,
    ),
    length=st.integers(0, 64),
)
def test_invented_headers_raise_nothing_but_input_error(
    tmp_path_factory: pytest.TempPathFactory, header: dict, length: int
):
    path = tmp_path_factory.getbasetemp() / "invented.safetensors"
    read_all_or_refuse(path, write(path, header, b"\0" * length).read_bytes())
