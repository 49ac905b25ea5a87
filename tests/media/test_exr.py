from pathlib import Path

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.media import read_depth
from tests.media.geometry_writers import DEPTHS, write_exr

DEPTH = DEPTHS[0]


@pytest.mark.parametrize("name", ["Y", "Z", "R", "V"])
@pytest.mark.parametrize("zipped", [False, True])
def test_one_channel_whatever_its_name(tmp_path: Path, name: str, zipped: bool) -> None:
    np.testing.assert_array_equal(
        read_depth(write_exr(tmp_path / "d.exr", {name: DEPTH}, zipped=zipped), "depth"), DEPTH
    )


def test_half_floats(tmp_path: Path) -> None:
    path = write_exr(tmp_path / "d.exr", {"Z": DEPTH}, half=True)
    np.testing.assert_array_equal(read_depth(path, "depth"), DEPTH.astype(np.float16).astype(np.float32))


def test_what_is_not_finite_is_unknown(tmp_path: Path) -> None:
    stored = DEPTH.copy()
    stored[:4], stored[4, :3] = np.inf, np.nan
    found = read_depth(write_exr(tmp_path / "d.exr", {"Y": stored}), "depth")
    np.testing.assert_array_equal(found, np.where(np.isfinite(stored), stored, 0))


def test_grey_as_three_channels_is_read_and_colours_are_not(tmp_path: Path) -> None:
    path = tmp_path / "d.exr"
    np.testing.assert_array_equal(read_depth(write_exr(path, {name: DEPTH for name in "RGB"}), "depth"), DEPTH)
    write_exr(path, {"R": DEPTH, "G": DEPTH + 1, "B": DEPTH})
    with pytest.raises(InputError, match=r"a colour \.exr; depth needs one number per pixel"):
        read_depth(path, "depth")
    write_exr(path, {"ViewLayer.Depth.Z": DEPTH, "Mist": DEPTH})
    with pytest.raises(InputError, match=r"channels Mist, ViewLayer\.Depth\.Z; depth needs one, called Y or Z"):
        read_depth(path, "depth")


def test_damage_and_size_are_told_before_anything_is_decoded(tmp_path: Path) -> None:
    path = write_exr(tmp_path / "d.exr", {"Y": DEPTH})
    content = path.read_bytes()
    with pytest.raises(InputError, match="megapixels"):
        read_depth(path, "depth", max_megapixels=1e-4)
    for broken in (content[:40], content[:4] + b"\0" * 200, content[:9], b"\x76\x2f\x31\x01" + b"\xff" * 400):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"d\.exr"):
            read_depth(path, "depth")
    path.write_bytes(b"P" + content[1:])
    with pytest.raises(InputError, match=r"not an \.exr file"):
        read_depth(path, "depth")
    write_exr(path, {"Y": DEPTH}, version=2 | 0x1000)
    with pytest.raises(InputError, match="several parts"):
        read_depth(path, "depth")
