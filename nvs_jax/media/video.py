"""Frames in and out: an .mp4, a .gif, a folder of numbered .png files. All are written whole or not at all."""

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.files import refuse_pointer
from nvs_jax.media.atomic import atomic_folder, atomic_path
from nvs_jax.media.photo import MAX_MEGAPIXELS, PICTURE_SUFFIXES, Picture, check_megapixels, read_photo, to_bytes

Frames = Float[np.ndarray, "_ _ _ 3"]

# Constant quality 17 is hard to tell from the source. Colours are converted and marked as BT.709, which is what players
# take an unmarked HD video for. The index goes first, so that a browser can start before it has the whole file.
_H264 = [
    *("-codec:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "17", "-movflags", "+faststart"),
    *("-vf", "scale=out_color_matrix=bt709:out_range=tv"),
    *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"),
]


def write_video(path: str | os.PathLike[str], frames: Frames, fps: int | float = 7) -> None:
    """Write frames as .mp4: H.264 in yuv420p, which plays everywhere.

    Its colour is stored at half the size, so sides must be even: an odd one gets its last row or column twice.

    Args:
        path: ends in .mp4.
        frames: [F, H, W, 3] in [0, 1].
        fps: frames per second.

    Raises:
        InputError: the name does not end in .mp4, or there are no frames.
        OSError: ffmpeg failed; the message is its own.
    """
    from imageio_ffmpeg import get_ffmpeg_exe

    if Path(path).suffix.lower() != ".mp4":
        raise InputError(f"{path}: a video's name must end in .mp4")
    pictures = _checked_bytes(frames, path)
    odd_rows, odd_columns = pictures.shape[1] % 2, pictures.shape[2] % 2
    pictures = np.pad(pictures, ((0, 0), (0, odd_rows), (0, odd_columns), (0, 0)), mode="edge")
    height, width = pictures.shape[1:3]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    with atomic_path(path) as temporary:
        # imageio's own writer does not look at ffmpeg's exit status, so a full disk would pass for a video.
        command = [get_ffmpeg_exe(), "-v", "error", *raw, *_H264, str(temporary)]
        ffmpeg = subprocess.run(command, input=pictures.tobytes(), capture_output=True, check=False)
        if ffmpeg.returncode:
            raise OSError(f"{path}: ffmpeg failed: {ffmpeg.stderr.decode(errors='replace').strip()}")


def write_gif(path: str | os.PathLike[str], frames: Frames, fps: int | float = 7) -> None:
    """Write frames as an endless .gif of 256 colours a frame: large and coarse, but it moves in any document.

    Raises:
        InputError: there are no frames.
    """
    first, *rest = [
        Image.fromarray(picture).quantize(dither=Image.Dither.NONE) for picture in _checked_bytes(frames, path)
    ]
    with atomic_path(path) as temporary:
        first.save(temporary, "GIF", save_all=True, append_images=rest, duration=1000 / fps, loop=0)


def write_frames(folder: str | os.PathLike[str], frames: Frames) -> None:
    """Write frames as 000.png, 001.png, ...; what the folder held before is replaced.

    Raises:
        InputError: there are no frames.
    """
    pictures = _checked_bytes(frames, folder)
    with atomic_folder(folder) as temporary:
        for index, picture in enumerate(pictures):
            Image.fromarray(picture).save(temporary / f"{index:03d}.png")


def write_picture(path: str | os.PathLike[str], picture: Picture) -> None:
    """Write one picture [H, W, 3] in [0, 1]; the name's ending chooses the format (.png keeps every bit)."""
    image = Image.fromarray(to_bytes(picture))
    with atomic_path(path) as temporary:
        image.save(temporary)


def read_frames(folder: str | os.PathLike[str]) -> Frames:
    """Read a folder of pictures in the order of the numbers in their names (frame_2 before frame_10).

    Raises:
        InputError: no such folder, no pictures in it, or pictures of different sizes.
    """
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; a video is given as a folder of its frames")
    paths = in_order(path for path in Path(folder).iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not paths:
        raise InputError(f"{folder}: no pictures in this folder")
    pictures = []
    for path in paths:
        pictures.append(read_photo(path))
        if pictures[-1].shape != pictures[0].shape:
            (h, w, _), (h0, w0, _) = pictures[-1].shape, pictures[0].shape
            raise InputError(f"{path}: {w}x{h}, but {paths[0].name} is {w0}x{h0}; all frames must have one size")
    return np.stack(pictures)


def read_video_file(path: str | os.PathLike[str], max_frames: int, *, max_megapixels: float = MAX_MEGAPIXELS) -> Frames:
    """Read the frames of a video file, of any format ffmpeg knows.

    Raises:
        InputError: no such file, not a video, without frames, or more of them than `max_frames`.
    """
    refuse_pointer(path)
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file or folder of frames")
    said = _ffmpeg("-i", path).stderr.decode(errors="replace")
    size = re.search(r"Video: .*?, (\d{1,6})x(\d{1,6})", said)
    if size is None:
        raise InputError(f"{path}: not a video that can be read")
    width, height = int(size[1]), int(size[2])
    check_megapixels(width, height, max_megapixels, path)
    # One frame more than allowed, to know that there are more.
    options = ("-frames:v", max_frames + 1, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    decoded = _ffmpeg("-noautorotate", "-i", path, *options)
    frames = np.frombuffer(decoded.stdout, np.uint8)
    if decoded.returncode or frames.size % (height * width * 3):
        raise InputError(f"{path}: damaged, or not a video that can be read")
    frames = frames.reshape(-1, height, width, 3)
    if not len(frames):
        raise InputError(f"{path}: a video with no frames")
    if len(frames) > max_frames:
        raise InputError(f"{path}: more than {max_frames} frames; cut it first")
    return frames / np.float32(255)


def _ffmpeg(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    from imageio_ffmpeg import get_ffmpeg_exe

    command = [get_ffmpeg_exe(), "-nostdin", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Sort files as people number them.

    >>> [path.name for path in in_order([Path("frame_10.png"), Path("frame_9.png"), Path("a.png")])]
    ['a.png', 'frame_9.png', 'frame_10.png']
    """

    def words(path: Path) -> list[tuple[int, int, str]]:
        pieces = re.findall(r"[0-9]+|[^0-9]+", path.name)
        return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces]

    return sorted(paths, key=words)


def _checked_bytes(frames: Frames, name: str | os.PathLike[str]) -> UInt8[np.ndarray, "_ _ _ 3"]:
    if not len(frames):
        raise InputError(f"{name}: no frames to write")
    return to_bytes(frames)
