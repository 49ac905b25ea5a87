"""Photos and depth maps that are damaged, something else, or lie about their size, through `nvs-jax warp`."""

import io
import shutil
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media import read_depth, read_photo
from tests.fuzz.command import CHANGES, KEEP, damaged, fuzz, outcome

SIDE = 64
RNG = np.random.default_rng(0)
COLOURS = Image.fromarray(RNG.integers(0, 256, (SIDE, SIDE, 3), np.uint8))
GREY = RNG.integers(1, 60_000, (SIDE, SIDE)).astype(np.uint16)
DEPTH = RNG.uniform(40, 80, (SIDE, SIDE)).astype(np.float32)


def encoded(image: Image.Image, form: str) -> bytes:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    image.save(stream, form, exif=exif)
    return stream.getvalue()


def saved_npz(**entries: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **entries)
    return stream.getvalue()


def saved_npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


PHOTOS = {
    **{form: encoded(COLOURS, form) for form in ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PPM", "AVIF")},
    "PNG, grey": encoded(Image.fromarray(GREY), "PNG"),
    "PNG, palette": encoded(COLOURS.quantize(7), "PNG"),
    "TIFF, float": encoded(Image.fromarray(DEPTH / 100), "TIFF"),
    "JPEG, CMYK": encoded(COLOURS.convert("CMYK"), "JPEG"),
    "nothing": b"",
    "text": b"a photo",
}
DEPTHS = {
    "depth.npy": saved_npy(DEPTH),
    "depth.npz": saved_npz(depth=DEPTH),
    "depth.pfm": b"Pf\n64 64\n-1.0\n" + DEPTH.tobytes(),
    "depth.png": encoded(Image.fromarray(GREY), "PNG"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "photo").write_bytes(PHOTOS["PNG"])
    (folder / "sound.npy").write_bytes(DEPTHS["depth.npy"])
    return folder


def warp(folder: Path, photo: str = "photo", depth: str = "sound.npy", kind: str = "depth") -> str:
    files = [str(folder / photo), "--depth", str(folder / depth), "--depth-kind", kind]
    size = ["--path.frames", "2", "--picture.size", str(SIDE), str(SIDE)]
    refusal = outcome(["warp", *files, "--out", str(folder / "out"), *size], folder / "out")
    shutil.rmtree(folder / "out", ignore_errors=True)
    return refusal


def test_sound_files_are_taken(folder):
    assert warp(folder) == ""


@fuzz(50)
@given(content=st.sampled_from(sorted(PHOTOS)), changes=CHANGES, keep=KEEP)
def test_damaged_photos(folder, content, changes, keep):
    (folder / "damaged").write_bytes(damaged(PHOTOS[content] or b"\0", changes, keep))
    warp(folder, photo="damaged")


@fuzz(50)
@given(name=st.sampled_from(sorted(DEPTHS)), content=st.none() | st.binary(max_size=200), changes=CHANGES, keep=KEEP)
def test_damaged_depth(folder, name, content, changes, keep):
    (folder / name).write_bytes(damaged(content or DEPTHS[name], changes, keep))
    warp(folder, depth=name)
    (folder / name).unlink()


@fuzz(30)
@given(
    values=arrays.arrays(
        st.sampled_from(["f2", "f4", "f8", ">f4", "i1", "i8", "u2", "u8", "?", "c8", "S3", "U2", "M8[s]"]),
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3) | st.just((SIDE, SIDE)),
    ),
    kind=st.sampled_from(["depth", "disparity"]),
    archived=st.booleans(),
)
def test_any_array_as_depth(folder, values, kind, archived):
    name = "any.npz" if archived else "any.npy"
    (folder / name).write_bytes(saved_npz(depth=values) if archived else saved_npy(values))
    warp(folder, depth=name, kind=kind)


EXTREMES = [5e-324, 1e-45, 1e-30, 1e-6, 1.0, 1e6, 1e15, 1e30, 3e38, 1e300]


@pytest.mark.parametrize("kind", ["depth", "disparity"])
@pytest.mark.parametrize("value", EXTREMES)
def test_extreme_depths(folder, value, kind):
    depth = np.full((SIDE, SIDE), value)
    depth[3:9, 5:20] = 60
    np.save(folder / "extreme.npy", depth)
    warp(folder, depth="extreme.npy", kind=kind)


def png_of(width: int, height: int) -> bytes:
    header = struct.pack(">II5B", width, height, 16, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    packed = [struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def npy_of(shape: str, dtype: str = "<f4") -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n" + b"\0" * 64


def npz_of(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("depth.npy", content)
    return stream.getvalue()


TERA = 10**12
LIARS = {
    "size.png": png_of(2**31 - 1, 2**31 - 1),
    "flat.png": png_of(2**31 - 1, 1),
    "size.ppm": b"P6 100000000 100000000 255\n" + b"\0" * 64,
    "size.pgm": b"P5 999999999 1 65535\n" + b"\0" * 64,
    "size.bmp": b"BM" + struct.pack("<IIIIiiHHIIiiII", 200, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 1, 1, 0, 0),
    "size.gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + b"\0" * 64,
    "size.pfm": b"Pf\n999999999 999999999\n-1\n" + b"\0" * 64,
    "digits.pfm": b"Pf\n" + b"9" * 90,
    "size.npy": npy_of(f"({TERA}, {TERA})"),
    "flat.npy": npy_of(f"({TERA}, 1)"),
    "empty.npy": npy_of(f"({TERA}, 0)"),
    "negative.npy": npy_of(f"(-{TERA}, -4)"),
    "many.npy": npy_of("(64, 64, 1000000)"),
    "wide.npy": npy_of("(64, 64)", f"<S{2**30}"),
    "object.npy": npy_of("(64, 64)", "|O"),
    "size.npz": npz_of(npy_of(f"({TERA}, {TERA})")),
    "zeros.npz": npz_of(b"\0" * 2**27),
}


@pytest.mark.parametrize("name", LIARS)
def test_sizes_are_not_believed(folder, name):
    """Neither as a photo nor as depth; what Python and numpy allocate is counted."""
    (folder / name).write_bytes(LIARS[name])
    assert warp(folder, photo=name)
    assert warp(folder, depth=name)
    tracemalloc.start()
    with pytest.raises(InputError):
        read_photo(folder / name)
    with pytest.raises(InputError):
        read_depth(folder / name, "depth")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20
