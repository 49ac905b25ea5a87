"""Colours of videos against the values that the standards give."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from nvs_jax.media import read_video_file
from tests.media.clips import Recording, record

BT709, BT601, BT2020, P3 = 1, 6, 9, 12
UNSAID, SRGB, PQ, HLG = 2, 13, 16, 18
TEN_BITS = Recording(codec="ffv1", pix_fmt="yuv444p10le", options={})


def flat(colour: list[float], size: tuple[int, int] = (64, 64)) -> np.ndarray:
    return np.tile(np.round(np.array(colour) * 65535).astype(np.uint16), (2, *size, 1))


def seen(path: Path) -> np.ndarray:
    return read_video_file(path, 10)[0, 20, 20]


def patches(colours: Iterable[Sequence[float]]) -> np.ndarray:
    """Flat squares side by side."""
    return np.concatenate([flat(list(colour)) for colour in colours], axis=2)


def seen_patches(path: Path) -> np.ndarray:
    """The colour in each of them."""
    return read_video_file(path, 10)[0, 20, 20::64]


# Signals: the white of paper in ITU-R BT.2408, and half of its light, which is 0.735 in sRGB.
SIGNALS = {
    HLG: {
        0.75: 1.0,
        0.0: 0.0,
        0.5: 0.537,  # 1/12 of the peak in the scene, 50.6 nits of 1000 after the system gamma of 1.2
    },
    PQ: {
        0.5806: 1.0,  # 203 nits
        0.5082: 0.735,  # 101.5 nits
        0.75: 1.0,  # 983 nits: clipped
    },
}


# One clip for all of a curve: the converter makes its table, which takes seconds, for each.
@pytest.mark.parametrize(
    ("transfer", "primaries"),
    [
        (HLG, UNSAID),
        (PQ, BT2020),
        pytest.param(HLG, BT2020, marks=pytest.mark.full),
        pytest.param(PQ, UNSAID, marks=pytest.mark.full),
    ],
)
def test_hdr_becomes_srgb(tmp_path: Path, transfer: int, primaries: int) -> None:
    how = Recording(**{**vars(TEN_BITS), "transfer": transfer, "primaries": primaries, "matrix": BT2020})
    path = record(tmp_path / "hdr.mkv", patches([[signal] * 3 for signal in SIGNALS[transfer]]), how=how)
    for found, shown in zip(seen_patches(path), SIGNALS[transfer].values(), strict=True):
        np.testing.assert_allclose(found, shown, atol=0.02)  # a table of the converter


COLOURS = [[0.8, 0.3, 0.1], [0.2, 0.5, 0.7], [0.5, 0.1, 0.6], [0.9, 0.8, 0.2]]
# Linear BT.709 to linear P3 (D65) and BT.2020, from the primaries.
TO_P3 = np.array([[0.82246, 0.17754, 0], [0.0332, 0.9668, 0], [0.01708, 0.0724, 0.91052]])
TO_BT2020 = np.array([[0.6274, 0.32928, 0.04331], [0.0691, 0.91954, 0.01136], [0.01639, 0.08801, 0.8956]])


def linear(srgb: np.ndarray) -> np.ndarray:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def curved(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def pq(nits: np.ndarray) -> np.ndarray:
    y = (nits / 10000) ** (1305 / 8192)
    return ((107 / 128 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)


def test_wide_colours_become_srgb(tmp_path: Path) -> None:
    light = linear(np.array(COLOURS))
    how = Recording(**{**vars(TEN_BITS), "transfer": BT709, "primaries": P3, "matrix": BT709})
    path = record(tmp_path / "p3.mkv", patches(curved(light @ TO_P3.T)), how=how)
    np.testing.assert_allclose(seen_patches(path), COLOURS, atol=0.02)
    how = Recording(**{**vars(TEN_BITS), "transfer": PQ, "primaries": BT2020, "matrix": BT2020})
    path = record(tmp_path / "pq.mkv", patches(pq(203 * light @ TO_BT2020.T)), how=how)
    np.testing.assert_allclose(seen_patches(path), COLOURS, atol=0.02)


@pytest.mark.parametrize("matrix", [BT709, BT601])
def test_colours_by_the_matrix_that_the_file_names(tmp_path: Path, matrix: int) -> None:
    colour = [0.8, 0.3, 0.1]
    path = record(tmp_path / "clip.mp4", flat(colour), how=Recording(matrix=matrix))
    np.testing.assert_allclose(seen(path), colour, atol=0.02)


@pytest.mark.parametrize(("size", "matrix"), [((480, 640), BT601), ((720, 1280), BT709)])
def test_an_unnamed_matrix_goes_by_the_size(tmp_path: Path, size: tuple[int, int], matrix: int) -> None:
    colour = [0.8, 0.3, 0.1]
    named = record(tmp_path / "named.mp4", flat(colour, size), how=Recording(matrix=matrix))
    unnamed = tmp_path / "unnamed.mp4"
    # The box of colours holds primaries, curve and matrix; H.264 has them once more, so another codec is written.
    how = Recording(codec="mpeg4", pix_fmt="yuv420p", matrix=matrix, options={"qscale": "1"})
    record(unnamed, flat(colour, size), how=how)
    content = unnamed.read_bytes()
    at = content.find(b"colrnclx")
    if at >= 0:
        unnamed.write_bytes(content[: at + 8] + b"\0\x02\0\x02\0\x02" + content[at + 14 :])
    np.testing.assert_allclose(seen(named), colour, atol=0.02)
    np.testing.assert_allclose(seen(unnamed), colour, atol=0.02)


@pytest.mark.parametrize(("codec", "name"), [("libvpx-vp9", "clip.webm"), ("png", "clip.mov")])
def test_transparency_is_laid_on_white(tmp_path: Path, codec: str, name: str) -> None:
    frames = np.zeros((2, 64, 64, 4), np.uint8)
    frames[:, 16:48, 16:48] = [255, 0, 0, 255]
    how = Recording(codec=codec, pix_fmt="yuva420p" if codec == "libvpx-vp9" else "rgba", options={})
    read = read_video_file(record(tmp_path / name, frames, how=how), 10)
    np.testing.assert_allclose(read[0, 4, 4], 1, atol=0.02)
    np.testing.assert_allclose(read[1, 30, 30], [1, 0, 0], atol=0.05)
