"""OpenEXR's .exr with one channel of numbers, as renderers and geometry models write depth.

The header is judged here, pixels are decoded by FFmpeg: https://openexr.com/en/latest/OpenEXRFileLayout.html.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.media.fitting import Kind
from nvs_jax.media.photo import check_megapixels

_MAGIC = b"\x76\x2f\x31\x01"
_LONGEST_HEADER = 2**20
_ODD = 0x1800  # bits of the version: deep data, several parts
_LAYOUTS = {
    f"{colours}f{bits}le": (planes, f"<f{bits // 8}")
    for colours, planes in (("gray", 1), ("gbrp", 3), ("gbrap", 3))
    for bits in (16, 32)
}
"""What FFmpeg calls decoded pixels -> planes of colour, and their type."""
_TYPES = ("whole numbers", "half", "float")


class _Channel(NamedTuple):
    name: bytes
    type: int
    at: int
    """Where its name begins in the file."""


def read_exr(path: Path, kind: Kind, max_megapixels: int | float) -> Float[np.ndarray, "h w"]:
    """The one channel of a file, or its grey; what is not finite (MoGe's sky) becomes 0, which says unknown or far.

    Raises:
        InputError: not such a file, of several channels that differ, too large, or damaged.
    """
    content = path.read_bytes() if path.stat().st_size <= max_megapixels * 1e6 * 16 + _LONGEST_HEADER else b""
    if not content:
        raise InputError(f"{path}: larger than {max_megapixels:g} megapixels of four channels")
    if content[:4] != _MAGIC:
        raise InputError(f"{path}: not an .exr file")
    if int.from_bytes(content[4:8], "little") & _ODD:
        raise InputError(f"{path}: an .exr of several parts or of deep pixels; save it as one part, flat")
    attributes = _attributes(content)
    left, top, right, bottom = np.frombuffer(attributes[b"dataWindow"][0][:16], "<i4").astype(int)
    check_megapixels(int(right - left + 1), int(bottom - top + 1), max_megapixels, path)
    channels = _channels(*attributes[b"channels"])
    if any(channel.type == 0 for channel in channels):
        raise InputError(f"{path}: holds {_TYPES[0]}; {kind} as .exr must be float or half")
    planes = _decoded(_as_grey(content, channels, kind, path))
    if any(not np.array_equal(plane, planes[0], equal_nan=True) for plane in planes[1:]):
        raise InputError(f"{path}: a colour .exr; {kind} needs one number per pixel")
    if planes[0].shape != (bottom - top + 1, right - left + 1):
        raise InputError(f"{path}: not all of the picture is stored; save it whole")
    return np.where(np.isfinite(planes[0]), planes[0], np.float32(0))


def _attributes(content: bytes) -> dict[bytes, tuple[bytes, int]]:
    """The header's values, and where each begins. Damage raises a ValueError, IndexError or KeyError."""
    found, at = {}, 8
    while content[at] != 0:
        end = content.index(b"\0", at, at + 256)
        name, at = content[at:end], content.index(b"\0", end + 1, end + 257) + 1
        size = int.from_bytes(content[at : at + 4], "little")
        at += 4
        if size > _LONGEST_HEADER or at + size > min(len(content), _LONGEST_HEADER):
            raise ValueError("its header is damaged")
        found[name] = content[at : at + size], at
        at += size
    if not {b"dataWindow", b"channels"} <= found.keys():
        raise ValueError("its header is damaged")
    return found


def _channels(value: bytes, start: int) -> list[_Channel]:
    """Of the list in the header: a name, a zero, the type of numbers and twelve more bytes each."""
    found, at = [], 0
    while value[at] != 0:
        end = value.index(b"\0", at)
        kind = int.from_bytes(value[end + 1 : end + 5], "little")
        if kind >= len(_TYPES):
            raise ValueError("its header is damaged")
        found.append(_Channel(value[at:end], kind, start + at))
        at = end + 17
    return found


def _as_grey(content: bytes, channels: list[_Channel], kind: Kind, path: Path) -> bytes:
    """The file, its only channel named Y as decoders expect it of grey: OpenEXR's own name for depth is Z."""
    names = [channel.name for channel in channels]
    if len(channels) == 1 and len(names[0]) == 1:
        at = channels[0].at
        return content[:at] + b"Y" + content[at + 1 :]
    if sorted(names) not in ([b"B", b"G", b"R"], [b"A", b"B", b"G", b"R"]):
        shown = ", ".join(name.decode("latin-1")[:20] for name in names[:8])
        raise InputError(f"{path}: channels {shown}; {kind} needs one, called Y or Z")
    return content


def _decoded(content: bytes) -> list[Float[np.ndarray, "h w"]]:
    """The planes of colour, or of grey. Damage raises a ValueError."""
    import av
    from av.error import FFmpegError

    decoder = av.CodecContext.create("exr", "r")
    try:
        frames = [*decoder.decode(av.Packet(content)), *decoder.decode(None)]  # pyright: ignore[reportAttributeAccessIssue]
    except (FFmpegError, ValueError) as error:
        raise ValueError("its pixels cannot be decoded") from error
    if len(frames) != 1 or frames[0].format.name not in _LAYOUTS:
        raise ValueError("its pixels cannot be decoded")
    frame = frames[0]
    count, dtype = _LAYOUTS[frame.format.name]
    stored: Any = frame.planes  # which have the buffer protocol, though their type does not say so
    planes = []
    for plane in stored[:count]:
        rows = np.frombuffer(plane, dtype).reshape(-1, plane.line_size // np.dtype(dtype).itemsize)
        planes.append(rows[: frame.height, : frame.width].astype(np.float32))
    return planes
