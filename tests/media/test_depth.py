import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media import check_depth, match_depth, read_depth
from nvs_jax.media.depth import Kind

DEPTH = np.random.default_rng(0).uniform(0.5, 60, (5, 7)).astype(np.float32)


def write_pfm(path: Path, values: np.ndarray, order: str = "<", header: str | None = None) -> Path:
    sign = "-" if order == "<" else ""
    header = header or f"Pf\n{values.shape[1]} {values.shape[0]}\n{sign}1.000000\n"
    path.write_bytes(header.encode() + values[::-1].astype(f"{order}f4").tobytes())
    return path


def write_npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


def refused(path: Path, kind: Kind = "depth", **options) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(InputError) as error:
        read_depth(path, kind, **options)
    text = str(error.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f2", "f8", "u2", "i4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path: Path, dtype: str, order) -> None:
    stored = np.asarray(DEPTH.astype(dtype), order=order)
    np.save(tmp_path / "d.npy", stored)
    depth = read_depth(tmp_path / "d.npy", "depth")
    assert depth.dtype == np.float32
    np.testing.assert_array_equal(depth, stored.astype(np.float32))


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_npy_versions_and_axes_of_size_one(tmp_path: Path, version) -> None:
    for stored in (DEPTH[None], DEPTH[..., None]):
        with (tmp_path / "d.npy").open("wb") as stream:
            np.lib.format.write_array(stream, stored, version=version, allow_pickle=False)
        np.testing.assert_array_equal(read_depth(tmp_path / "d.npy", "disparity"), DEPTH)


def test_npz(tmp_path: Path) -> None:
    path, other = tmp_path / "d.npz", np.ones((2, 2))
    for arrays in ({"z": DEPTH}, {"depth": DEPTH, "confidence": other}, {"arr_0": DEPTH, "x": other}):
        np.testing.assert_array_equal(read_depth(write_npz(path, **arrays), "depth"), DEPTH)
    both = write_npz(path, depth=other, disparity=DEPTH)
    np.testing.assert_array_equal(read_depth(both, "disparity"), DEPTH)
    assert "holds 'disparity', but depth was asked for" in refused(write_npz(path, disparity=DEPTH))
    assert "must hold one array or one named 'depth'; it holds x, y" in refused(write_npz(path, x=other, y=other))


@pytest.mark.parametrize("order", ["<", ">"])
def test_pfm(tmp_path: Path, order: str) -> None:
    np.testing.assert_array_equal(read_depth(write_pfm(tmp_path / "d.pfm", DEPTH, order), "depth"), DEPTH)


def test_pfm_headers(tmp_path: Path) -> None:
    path = tmp_path / "d.pfm"
    for header in ("Pf 7 5 -1\n", "Pf\r\n7 5\r\n-0.0039\r\n", "Pf\n7\n5\n-1e0 \n"):
        np.testing.assert_array_equal(read_depth(write_pfm(path, DEPTH, header=header), "depth"), DEPTH)
    assert "colour" in refused(write_pfm(path, DEPTH, header="PF\n7 5\n-1\n"))
    assert "must begin with 'Pf'" in refused(write_pfm(path, DEPTH, header="P5\n7 5\n255\n"))
    assert "scale" in refused(write_pfm(path, DEPTH, header="Pf\n7 5\n0\n"))
    assert "scale" in refused(write_pfm(path, DEPTH, header="Pf\n7 5\nnan\n"))
    assert "ends early" in refused(write_pfm(path, DEPTH, header="Pf\n7 6\n-1\n"))
    assert "megapixels" in refused(write_pfm(path, DEPTH, header="Pf\n999999999 999999999\n-1\n"))
    assert "empty" in refused(write_pfm(path, DEPTH, header="Pf\n0 5\n-1\n"))


def test_png(tmp_path: Path) -> None:
    path, stored = tmp_path / "d.png", (DEPTH * 1000).astype(np.uint16)
    Image.fromarray(stored).save(path)
    np.testing.assert_allclose(read_depth(path, "depth"), stored / 1000, rtol=1e-6)
    np.testing.assert_allclose(read_depth(path, "depth", png_scale=256), stored / 256, rtol=1e-6)
    np.testing.assert_array_equal(read_depth(path, "disparity"), stored)
    assert "more than 1e-05" in refused(path, max_megapixels=1e-5)
    Image.fromarray(stored.astype(np.uint8)).save(path)
    assert "16 bits" in refused(path)
    Image.fromarray(DEPTH).save(path, "TIFF")  # by its name a PNG
    assert "16 bits" in refused(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.where(DEPTH > 30, np.nan, DEPTH), "depth values are not finite; write 0 where depth is unknown"),
        (np.full((3, 4), np.inf), "12 of 12 depth values are not finite"),
        (np.full((3, 4), 1e300), "12 of 12 depth values are not finite"),
        (-DEPTH, "35 depth values are negative; depth along a negative axis needs its sign turned"),
        (np.zeros((3, 4)), "zero everywhere"),
        (np.ones(12), "the shape is (12,)"),
        (np.ones((3, 4, 3)), "the shape is (3, 4, 3)"),
        (np.ones((2, 1, 1, 3, 4)), "the shape is (2, 1, 1, 3, 4)"),
        (np.ones((0, 4)), "empty"),
        (np.ones((3, 4), complex), "must be numbers, but the array holds complex128"),
        (np.ones((3, 4), bool), "must be numbers, but the array holds bool"),
        (np.full((3, 4), "1.0"), "must be numbers"),
    ],
)
def test_what_cannot_be_depth(tmp_path: Path, values: np.ndarray, message: str) -> None:
    np.save(tmp_path / "d.npy", values)
    assert message in refused(tmp_path / "d.npy")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    np.save(tmp_path / "d.npy", np.array([[Trap()]], object), allow_pickle=True)
    np.savez(tmp_path / "d.npz", depth=np.array([[Trap()]], object))
    assert "must be numbers" in refused(tmp_path / "d.npy")
    assert "must be numbers" in refused(tmp_path / "d.npz")
    assert not (tmp_path / "sprung").exists()


def header_only(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.mark.parametrize("shape", ["(-3, 4)", "(-1, -12)", "(3, -2, -2)", "(True, 12)", "(4.0, 3)", "12", "()"])
def test_shapes_that_are_none(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    (tmp_path / "d.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(48))
    refused(tmp_path / "d.npy")


def test_size_is_judged_by_the_header(tmp_path: Path) -> None:
    path = tmp_path / "d.npy"
    path.write_bytes(header_only((10**6, 10**6)))
    assert "more than 64" in refused(path)
    path.write_bytes(header_only((6, 7)) + DEPTH.tobytes())
    assert "ends early" in refused(path)
    bomb = tmp_path / "d.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("depth.npy", header_only((20000, 20000)) + bytes(10**7))
    assert bomb.stat().st_size < 20000
    assert "more than 64" in refused(bomb)


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "missing.npy")
    for name in ("d.npy", "d.npz", "d.pfm", "d.png"):
        (tmp_path / name).write_bytes(b"")
        refused(tmp_path / name)
    (tmp_path / "d.tif").write_bytes(b"II")
    assert "must be a .npy, .npz, .exr, .pfm or 16-bit .png file" in refused(tmp_path / "d.tif")


def whole(folder: Path) -> dict[str, bytes]:
    np.save(folder / "w.npy", DEPTH)
    np.savez_compressed(folder / "w.npz", depth=DEPTH)
    write_pfm(folder / "w.pfm", DEPTH)
    Image.fromarray((DEPTH * 1000).astype(np.uint16)).save(folder / "w.png")
    return {suffix: (folder / f"w{suffix}").read_bytes() for suffix in (".npy", ".npz", ".pfm", ".png")}


@settings(max_examples=300, deadline=None)
@given(
    suffix=st.sampled_from([".npy", ".npz", ".pfm", ".png"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    keep=st.floats(0, 1),
)
def test_damaged_bytes_give_depth_or_an_input_error(tmp_path_factory, suffix, changes, keep) -> None:
    content = bytearray(whole(tmp_path_factory.getbasetemp())[suffix])
    for place, value in changes:
        content[int(place**2 * len(content))] = value  # headers more often than values
    path = (tmp_path_factory.getbasetemp() / "damaged").with_suffix(suffix)
    path.write_bytes(content[: round(keep * len(content)) if keep < 0.9 else None])
    try:
        depth = read_depth(path, "depth")
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert depth.ndim == 2
        assert np.isfinite(depth).all()
        assert depth.min() >= 0


def test_check_depth_names_what_it_was_given() -> None:
    with pytest.raises(InputError, match=r"^the model's disparity: the disparity is zero everywhere"):
        check_depth(np.zeros((2, 2)), "disparity", "the model's disparity")


def test_match_depth_resizes_as_the_release() -> None:
    matched = match_depth(DEPTH[:4, :6], (10, 15, 3))
    for i in range(10):
        for j in range(15):
            assert matched[i, j] == DEPTH[i * 4 // 10, j * 6 // 15]
    np.testing.assert_array_equal(match_depth(DEPTH, (5, 7)), DEPTH)


def test_match_depth_refuses_another_shape() -> None:
    with pytest.raises(InputError, match=r"d\.npy: 5x7 .* is not the shape of its picture, 576x1024"):
        match_depth(DEPTH, (576, 1024, 3), name="d.npy")
    assert match_depth(DEPTH, (576, 1024, 3), tolerance=None).shape == (576, 1024)
    assert match_depth(np.ones((518, 924), np.float32), (576, 1024)).shape == (576, 1024)  # 0.3 % off
