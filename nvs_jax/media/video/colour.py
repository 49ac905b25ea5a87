"""What a player would show of a decoded frame: sRGB bytes, upright, with square pixels, on white."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image

from nvs_jax.media.photo import on_white

if TYPE_CHECKING:
    import av
    import av.video.reformatter

# Numbers of ITU-T H.273, which files carry.
_BT709, _UNSPECIFIED, _BT601, _BT2020 = 1, 2, 6, 9
_SRGB_CURVE, _PQ, _HLG = 13, 16, 18
_WIDE_PRIMARIES = frozenset({_BT2020, 11, 12})  # 11 and 12: those of P3


def shown_bytes(
    frame: "av.VideoFrame", size: tuple[int, int], converter: "av.video.reformatter.VideoReformatter"
) -> UInt8[np.ndarray, "h w 3"]:
    """The frame as stored (not turned) in sRGB, scaled to `size`, rows and columns.

    Of HLG and PQ the white of paper, 75 % and 203 nits (ITU-R BT.2408), becomes white; what is brighter is clipped.
    Wide colours are taken to BT.709. The curve of a standard video is taken for that of sRGB, as players do.
    """
    has_alpha = frame.format.has_palette or any(component.is_alpha for component in frame.format.components)
    form = "rgba" if has_alpha else "rgb24"
    _say_what_is_meant(frame)
    towards: dict[str, int] = {}
    if frame.color_primaries in _WIDE_PRIMARIES or frame.color_trc in (_PQ, _HLG):
        towards = {"dst_color_primaries": _BT709, "dst_color_trc": _SRGB_CURVE}
        if frame.color_trc not in (_PQ, _HLG):
            frame.color_trc = _SRGB_CURVE
        form = "rgba64le" if has_alpha else "rgb48le"  # in bytes, it converts colours by a coarser way
    pixels = converter.reformat(frame, size[1], size[0], form, interpolation=_interpolation(), **towards).to_ndarray()
    if pixels.dtype != np.uint8:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if has_alpha:
        return np.asarray(on_white(Image.fromarray(pixels)))
    return np.ascontiguousarray(pixels)


def turned(picture: Shaped[np.ndarray, "h w c"], frame: "av.VideoFrame") -> Shaped[np.ndarray, "_ _ c"]:
    """The picture as the frame's display matrix wants it shown, to a quarter turn, mirrored if it says so.

    The matrix takes a stored place (x right, y down) to the shown one: (a x + c y, b x + d y).
    """
    a, b, c, d = _display_matrix(frame)
    if abs(a) + abs(d) < abs(b) + abs(c):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def _display_matrix(frame: "av.VideoFrame") -> tuple[int, int, int, int]:
    from av.sidedata.sidedata import Type

    several: Any = frame.side_data  # a mapping, by its types, though it lists what it holds
    for data in several:
        if data.type == Type.DISPLAYMATRIX:
            a, b, _, c, d, *_ = np.frombuffer(bytes(data), np.int32).tolist()
            return a, b, c, d
    return 1, 0, 0, 1


def _say_what_is_meant(frame: "av.VideoFrame") -> None:
    """Fill in what the file leaves open: HDR is BT.2020; otherwise the matrix goes by the size, as in players."""
    hdr = frame.color_trc in (_PQ, _HLG)
    if hdr and frame.color_primaries == _UNSPECIFIED:
        frame.color_primaries = _BT2020
    if frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb:
        high_definition = frame.width >= 1280 or frame.height > 576
        frame.colorspace = _BT2020 if hdr else _BT709 if high_definition else _BT601


def _interpolation() -> int:
    from av.video.reformatter import Interpolation

    return Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
