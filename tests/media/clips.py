"""Video files made for tests, and what is in a file."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter


@dataclass(frozen=True)
class Recording:
    """How a clip is made; numbers of ITU-T H.273 for colour.

    Attributes:
        codec: of the stream.
        pix_fmt: of the stored frames.
        rate: frames a second.
        times: of every frame, in units of 1/rate; None: one after the other.
        rotation: of the display matrix, in degrees counterclockwise.
        mirrored: whether the display matrix mirrors, too.
        aspect: width over height of a pixel.
        transfer: the curve.
        primaries: of the colours.
        matrix: of YUV.
        options: of the encoder.
    """

    codec: str = "libx264"
    pix_fmt: str = "yuv444p"
    rate: Fraction = Fraction(30)
    times: tuple[int, ...] | None = None
    rotation: int = 0
    mirrored: bool = False
    aspect: Fraction | None = None
    transfer: int = 1
    primaries: int = 1
    matrix: int = 1
    options: dict[str, str] = field(default_factory=lambda: {"crf": "4"})


def record(path: Path, *streams: np.ndarray, how: Recording = Recording(), default: int = 0) -> Path:
    """Write a clip of one stream for each array [F, H, W, 3 or 4], of bytes or of 16 bits; `default` is marked so."""
    with av.open(str(path), "w") as container:
        opened: list[Any] = [_stream(container, frames, how, index == default) for index, frames in enumerate(streams)]
        for stream, frames in zip(opened, streams, strict=True):
            for at, pixels in zip(how.times or range(len(frames)), frames, strict=True):
                frame = _frame(pixels, how)
                frame.pts, frame.time_base = at, 1 / how.rate
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


def _stream(container, frames: np.ndarray, how: Recording, default: bool):
    from av.stream import Disposition

    stream = container.add_stream(how.codec, rate=how.rate, options=how.options)
    stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], how.pix_fmt
    coded = stream.codec_context
    coded.color_trc, coded.color_primaries, coded.color_range = how.transfer, how.primaries, 1
    coded.colorspace = how.matrix
    if how.aspect is not None:
        coded.sample_aspect_ratio = how.aspect
    if how.rotation or how.mirrored:
        stream.set_display_rotation(how.rotation, hflip=how.mirrored)
    stream.disposition = Disposition.default if default else Disposition(0)
    return stream


def _frame(pixels: np.ndarray, how: Recording) -> av.VideoFrame:
    form = {(1, 3): "rgb24", (1, 4): "rgba", (2, 3): "rgb48le"}[pixels.dtype.itemsize, pixels.shape[-1]]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), form)
    matrix = {1: Colorspace.ITU709, 6: Colorspace.ITU601, 9: Colorspace.BT2020}[how.matrix]
    frame = VideoReformatter().reformat(
        frame, format=how.pix_fmt, dst_colorspace=matrix, dst_color_range=ColorRange.MPEG
    )
    frame.color_trc, frame.color_primaries, frame.colorspace = how.transfer, how.primaries, how.matrix
    return frame


@dataclass(frozen=True)
class Facts:
    """What a video file says of itself, and its frames [F, H, W, 3] in [0, 1]."""

    codec: str
    pix_fmt: str | None
    rate: Fraction | None
    colour: tuple[int, int, int, int]
    frames: np.ndarray


def facts(path: Path) -> Facts:
    """Read a video file by PyAV alone."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
        coded = stream.codec_context
        colour = (coded.colorspace, coded.color_primaries, coded.color_trc, coded.color_range)
        return Facts(coded.name, coded.pix_fmt, stream.average_rate, colour, frames / np.float32(255))
