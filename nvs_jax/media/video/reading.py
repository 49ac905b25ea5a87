"""Reading a video file, frame by frame: no more than a few frames are ever in memory.

Files come from strangers: only the file named is opened, as a kind that refers to no other, and sizes are judged before
frames are decoded.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from nvs_jax.disk.files import refuse_pointer
from nvs_jax.errors import InputError
from nvs_jax.media.photo import MAX_MEGAPIXELS, as_float, check_megapixels
from nvs_jax.media.video.clips import Clip, Shot
from nvs_jax.media.video.colour import shown_bytes, turned
from nvs_jax.media.video.folders import Frames, check_total, folder_clip
from nvs_jax.media.video.wholeness import is_cut_short

if TYPE_CHECKING:
    import av
    import av.container

# What cameras, editors and the web produce. Play lists, which name other files and addresses, stay closed.
_CONTAINERS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "m4v", "flv", "asf", "ogg", "gif", "apng", "mxf"),
    *("h264", "hevc", "av1", "obu", "ivf", "yuv4mpegpipe", "nut", "mjpeg", "dv"),
)
VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm")
"""By which a video is told from other files of a folder; one that is named may have any."""
_MAX_THREADS = 4  # each holds frames of its own


@contextmanager
def open_frames(path: str | os.PathLike[str], *, max_frames: int | None = None) -> Iterator[Clip]:
    """Open a video, a folder of its frames or a file.

    Raises:
        InputError: nothing that can be read, or more than `max_frames`; while frames are asked for, one that is
            damaged.
    """
    if Path(path).is_dir():
        clip = folder_clip(path)
        yield clip._replace(shots=_at_most(max_frames, clip, path))
    else:
        with open_video(path, max_frames=max_frames) as clip:
            yield clip


@contextmanager
def open_video(
    path: str | os.PathLike[str], *, max_frames: int | None = None, max_megapixels: int | float = MAX_MEGAPIXELS
) -> Iterator[Clip]:
    """Open a video file; of several streams the one that a player shows: the default one, then the largest.

    Frames are as a player shows them: turned by the recording's rotation, with square pixels, HDR brought to sRGB,
    transparent parts on white.

    Args:
        path: a file of any common kind; play lists are refused.
        max_frames: longer videos are refused, at once where the file says how long it is.
        max_megapixels: larger frames are refused before any is decoded.

    Raises:
        InputError: no such file, not a video, of a codec without a decoder, too large, or without frames; while frames
            are asked for, one that is damaged.
    """
    import av
    from av.error import FFmpegError

    path = Path(path)
    refuse_pointer(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder of frames")
    limits = {"format_whitelist": ",".join(_CONTAINERS), "max_pixels": str(int(max_megapixels * 1e6))}
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            if is_cut_short(file):
                raise InputError(f"{path}: cut short, its end is missing; copy or export it again")
            container = stack.enter_context(av.open(file, "r", options=limits, io_open=_open_nothing_else))
        except InputError:
            raise
        except (FFmpegError, OSError, ValueError) as error:
            raise InputError(f"{path}: not a video that can be read; save it as an .mp4") from error
        stream = _shown_stream(container, path)
        check_megapixels(stream.width, stream.height, max_megapixels, path)
        stream.codec_context.options = {"max_pixels": limits["max_pixels"]}
        stream.thread_type = "AUTO"
        stream.thread_count = min(_MAX_THREADS, os.cpu_count() or 1)
        shots = _shots(container, stream, path, max_megapixels)
        first = next(shots, None)
        if first is None:
            raise InputError(f"{path}: a video with no frames")
        rate = stream.average_rate or stream.guessed_rate
        size = (first.picture.shape[0], first.picture.shape[1])
        clip = Clip(size, stream.frames or None, float(rate) if rate else None, chain([first], shots))
        yield clip._replace(shots=_at_most(max_frames, clip, path))


def read_video_file(
    path: str | os.PathLike[str], max_frames: int, *, max_megapixels: int | float = MAX_MEGAPIXELS
) -> Frames:
    """All frames of a video file at once, at full size; `open_video` gives them one at a time.

    Raises:
        InputError: see `open_video`; or more than `max_frames`, or than memory is for.
    """
    frames: list[np.ndarray] = []
    with open_video(path, max_frames=max_frames, max_megapixels=max_megapixels) as clip:
        for shot in clip.shots:
            check_total(path, len(frames) + 1, clip.size)
            frames.append(shot.picture)
    return as_float(np.stack(frames))


def _at_most(most: int | None, clip: Clip, path: str | os.PathLike[str]) -> Iterator[Shot]:
    """The frames of a clip, if there are no more than `most`."""
    if most is not None and (clip.count or 0) > most:
        raise InputError(f"{path}: {clip.count} frames, more than {most}; cut it first")
    return _counted(most, clip, path)


def _counted(most: int | None, clip: Clip, path: str | os.PathLike[str]) -> Iterator[Shot]:
    for index, shot in enumerate(clip.shots):
        if index == most:
            raise InputError(f"{path}: more than {most} frames; cut it first")
        yield shot


def _shown_stream(container: "av.container.InputContainer", path: Path) -> "av.VideoStream":
    """The stream that a player shows: the default one, then the largest; no cover picture."""
    from av.stream import Disposition

    pictures = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    streams = [stream for stream in container.streams.video if not stream.disposition & pictures]
    known = [stream for stream in streams if stream.codec_context is not None]
    if streams and not known:
        raise InputError(f"{path}: nothing here can decode this kind of video; save it as H.264")
    if not known:
        raise InputError(f"{path}: a file without a video")
    return max(known, key=lambda stream: (bool(stream.disposition & Disposition.default), stream.width * stream.height))


def _shots(
    container: "av.container.InputContainer", stream: "av.VideoStream", path: Path, max_megapixels: int | float
) -> Iterator[Shot]:
    """The frames, all of the first one's size."""
    from av.video.reformatter import VideoReformatter

    converter, size, done = VideoReformatter(), None, 0
    try:
        for frame in _decoded(container, stream):
            if frame.is_corrupt:
                raise ValueError("corrupt")
            size = size or _square_size(frame, stream)
            check_megapixels(size[1], size[0], max_megapixels, path)
            picture = turned(shown_bytes(frame, size, converter), frame)
            at = None if frame.pts is None or stream.time_base is None else float(frame.pts * stream.time_base)
            yield Shot(picture, at)
            done += 1
    except InputError:
        raise
    except Exception as error:  # decoders raise almost anything
        reason = f"damaged or cut short after {done} frames" if done else "damaged, or not a video that can be read"
        raise InputError(f"{path}: {reason}; export it again") from error


def _decoded(container: "av.container.InputContainer", stream: "av.VideoStream") -> "Iterator[av.VideoFrame]":
    decoder: Any = stream
    if stream.codec_context.name == "vp9" and stream.metadata.get("alpha_mode") == "1":
        decoder = _alpha_decoder(stream) or stream
    for packet in container.demux(stream):
        yield from decoder.decode(packet)


def _alpha_decoder(stream: "av.VideoStream") -> Any:
    """VP9's own decoder leaves transparency out; that of libvpx does not."""
    import av

    if "libvpx-vp9" not in av.codecs_available:
        return None
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    decoder.extradata = stream.codec_context.extradata
    return decoder


def _square_size(frame: "av.VideoFrame", stream: "av.VideoStream") -> tuple[int, int]:
    """Rows and columns of the frame with square pixels: players keep the rows."""
    aspect = stream.sample_aspect_ratio
    return frame.height, max(1, round(frame.width * aspect)) if aspect else frame.width


def _open_nothing_else(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    """Called for whatever a file wants opened besides itself."""
    raise PermissionError(url)
