"""Writing an .mp4, a .gif, a folder of .png files, one picture. All are written whole or not at all."""

import io
import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from PIL import Image

from nvs_jax.disk import atomic_folder, atomic_path
from nvs_jax.errors import InputError
from nvs_jax.media.photo import Picture, to_bytes

if TYPE_CHECKING:
    import av

Frames = Float[np.ndarray, "_ _ _ 3"]

_ENCODER = "libx264"
_BT709, _LIMITED = 1, 1  # numbers of ITU-T H.273


def check_encoder() -> None:
    """Whether videos can be written here: asked before hours of work, not after.

    Raises:
        InputError: they cannot.
    """
    try:
        import av
    except ImportError as error:
        raise InputError(
            f"PyAV, which writes videos, cannot be loaded ({error}): pip install --force-reinstall av"
        ) from error
    if _ENCODER not in av.codecs_available:
        raise InputError(f"this PyAV was built without {_ENCODER}, so no video can be written: pip install av")


def write_video(path: str | os.PathLike[str], frames: Frames, fps: int | float = 7) -> None:
    """Write frames as .mp4: H.264 in yuv420p, which plays everywhere.

    Its colour is stored at half the size, so sides must be even: an odd one gets its last row or column twice.

    Args:
        path: ends in .mp4.
        frames: [F, H, W, 3] in [0, 1].
        fps: frames per second.

    Raises:
        InputError: the name does not end in .mp4, there are no frames, they have no rate, or there is no encoder.
        OSError: it could not be encoded or written.
    """
    if Path(path).suffix.lower() != ".mp4":
        raise InputError(f"{path}: a video's name must end in .mp4")
    _check(frames, path, fps)
    check_encoder()
    # Encoded in memory: on a full disk the system's own error comes from one place, where it cannot be missed.
    encoded = _encoded(path, frames, Fraction(fps).limit_denominator(100_000))
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded)


def write_gif(path: str | os.PathLike[str], frames: Frames, fps: int | float = 7) -> None:
    """Write frames as an endless .gif of 256 colours a frame: large and coarse, but it moves in any document.

    Its times are hundredths of a second, so frames take turns to be rounded up and down. Browsers slow down what is
    faster than 50 frames a second; that is the most it gets.

    Raises:
        InputError: there are no frames, or they have no rate.
    """
    _check(frames, path, fps)
    ends = np.round(100 / fps * np.arange(len(frames) + 1))
    first, *rest = [Image.fromarray(to_bytes(picture)).quantize(dither=Image.Dither.NONE) for picture in frames]
    durations = [int(10 * max(2, hundredths)) for hundredths in np.diff(ends)]
    with atomic_path(path) as temporary:
        first.save(temporary, "GIF", save_all=True, append_images=rest, duration=durations, loop=0)


def write_frames(folder: str | os.PathLike[str], frames: Frames) -> None:
    """Write frames as 000.png, 001.png, ...; what the folder held before is replaced.

    Raises:
        InputError: there are no frames.
    """
    _check(frames, folder)
    with atomic_folder(folder) as temporary:
        for index, picture in enumerate(frames):
            Image.fromarray(to_bytes(picture)).save(temporary / f"{index:03d}.png")


def write_picture(path: str | os.PathLike[str], picture: Picture) -> None:
    """Write one picture [H, W, 3] in [0, 1]; the name's ending chooses the format (.png keeps every bit)."""
    image = Image.fromarray(to_bytes(picture))
    with atomic_path(path) as temporary:
        image.save(temporary)


def _encoded(path: str | os.PathLike[str], frames: Frames, rate: Fraction) -> bytes:
    """The file's content. The index goes first, so that a browser can start before it has the whole file."""
    import av
    from av.error import FFmpegError

    file, (rows, columns) = io.BytesIO(), frames.shape[1:3]
    # The index is put in front at the end, which reads what was written once more.
    again = {"options": {"movflags": "+faststart"}, "io_open": lambda url, flags, options: _Reader(file)}
    try:
        with av.open(file, "w", format="mp4", **again) as container:
            # Constant quality 17 is hard to tell from the source.
            stream = container.add_stream(_ENCODER, rate=rate, options={"crf": "17"})
            stream.height, stream.width, stream.pix_fmt = rows + rows % 2, columns + columns % 2, "yuv420p"
            _mark_as_bt709(stream)
            for index, picture in enumerate(frames):
                container.mux(stream.encode(_frame(picture, index, 1 / rate)))
            container.mux(stream.encode())
    except FFmpegError as error:
        raise OSError(f"{path}: the video could not be encoded: {error}") from error
    return file.getvalue()


def _mark_as_bt709(stream: "av.VideoStream") -> None:
    """What players take an unmarked HD video for."""
    marked = stream.codec_context
    marked.colorspace = marked.color_primaries = marked.color_trc = _BT709
    marked.color_range = _LIMITED


def _frame(picture: Picture, index: int, time_base: Fraction) -> "av.VideoFrame":
    import av
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    smooth = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
    even = ((0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0))
    pixels = np.pad(to_bytes(picture), even, mode="edge")
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, interpolation=smooth
    )
    frame.color_primaries = frame.color_trc = _BT709
    frame.pts, frame.time_base = index, time_base
    return frame


class _Reader:
    """What is in a buffer, from the beginning, while it is written to elsewhere."""

    def __init__(self, file: io.BytesIO):
        self._file, self._at = file, 0

    def read(self, size: int) -> bytes:
        with self._file.getbuffer() as content:
            piece = bytes(content[self._at : self._at + size])
        self._at += len(piece)
        return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.getbuffer().nbytes}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """The buffer is the writer's."""


def _check(frames: Frames, name: str | os.PathLike[str], fps: int | float = 1) -> None:
    if not len(frames):
        raise InputError(f"{name}: no frames to write")
    if not 1e-3 <= fps <= 1000:  # also true of NaN
        raise InputError(f"{name}: {fps} frames a second cannot be written; give 0.001 to 1000")
