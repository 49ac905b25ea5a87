import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media import read_frames, write_frames, write_gif, write_picture, write_video
from nvs_jax.media.photo import to_bytes
from tests.media.listing import names


def moving(frames: int, height: int, width: int) -> np.ndarray:
    """A smooth picture that moves to the right."""
    y, x = np.mgrid[:height, :width]
    shifts = np.arange(frames)[:, None, None]
    wave = np.sin((x + shifts) / 9)
    colours = [0.5 + 0.4 * wave, np.broadcast_to(y / height, wave.shape), np.broadcast_to(x / width, wave.shape)]
    return np.stack(colours, -1).astype(np.float32)


def read_video(path: Path) -> tuple[str, np.ndarray]:
    """What ffmpeg says of a video's stream, and its frames."""
    command = [get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    ffmpeg = subprocess.run(command, capture_output=True, check=True)
    stream = next(line for line in ffmpeg.stderr.decode().splitlines() if "Video: " in line)
    size = re.search(r", (\d+)x(\d+)", stream)
    assert size
    frames = np.frombuffer(ffmpeg.stdout, np.uint8).reshape(-1, int(size[2]), int(size[1]), 3)
    return stream, frames / np.float32(255)


@pytest.mark.parametrize("size", [(64, 96), (65, 96), (64, 97), (71, 101)])
def test_video_reads_back(tmp_path: Path, size: tuple[int, int]) -> None:
    frames = moving(9, *size)
    write_video(tmp_path / "v.mp4", frames, fps=7)
    stream, seen = read_video(tmp_path / "v.mp4")
    assert seen.shape == (9, size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    for fact in ("h264", "yuv420p(tv, bt709", " 7 fps,"):
        assert fact in stream
    assert np.abs(seen[:, : size[0], : size[1]] - frames).mean() < 0.01
    assert names(tmp_path) == ["v.mp4"]


@pytest.mark.parametrize("colour", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0.5), (1, 1, 1), (0, 0, 0)])
def test_colours_survive_the_video(tmp_path: Path, colour: tuple[float, ...]) -> None:
    write_video(tmp_path / "v.mp4", np.tile(np.array(colour, np.float32), (3, 32, 32, 1)), fps=2.5)
    stream, seen = read_video(tmp_path / "v.mp4")
    assert " 2.50 fps" in stream
    assert np.abs(seen - colour).max() < 0.015  # 4 of 255: 8 bits, limited range, rounded twice


def test_a_video_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="ffmpeg failed"):
        write_video(tmp_path / "v.mp4", moving(2, 32, 32), fps=-1)
    with pytest.raises(InputError, match="not finite"):
        write_video(tmp_path / "v.mp4", np.full((2, 32, 32, 3), np.nan, np.float32))
    with pytest.raises(InputError, match=r"v\.mp4: no frames to write"):
        write_video(tmp_path / "v.mp4", moving(2, 32, 32)[:0])
    with pytest.raises(InputError, match=r"must end in \.mp4"):
        write_video(tmp_path / "v.avi", moving(2, 32, 32))
    assert names(tmp_path) == []


def test_gif(tmp_path: Path) -> None:
    frames = moving(5, 33, 47)
    write_gif(tmp_path / "v.gif", frames, fps=10)
    with Image.open(tmp_path / "v.gif") as image:
        assert (image.size, getattr(image, "n_frames", 1)) == ((47, 33), 5)
        assert image.info["duration"] == 100
        assert image.info["loop"] == 0
        image.seek(4)
        assert np.abs(np.asarray(image.convert("RGB")) / 255 - frames[4]).mean() < 0.05
    assert names(tmp_path) == ["v.gif"]


def test_frames_round_trip(tmp_path: Path) -> None:
    write_frames(tmp_path / "frames", moving(5, 20, 30))
    write_frames(tmp_path / "frames", moving(12, 20, 30))
    assert names(tmp_path / "frames") == [f"{i:03d}.png" for i in range(12)]
    np.testing.assert_array_equal(to_bytes(read_frames(tmp_path / "frames")), to_bytes(moving(12, 20, 30)))
    with pytest.raises(InputError, match="no frames"):
        write_frames(tmp_path / "frames", moving(12, 20, 30)[:0])
    assert len(names(tmp_path / "frames")) == 12


def test_frames_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        write_picture(tmp_path / f"frame_{number}.png", np.full((4, 6, 3), number / 10, np.float32))
    (tmp_path / "notes.txt").write_text("not a picture")
    np.testing.assert_allclose(read_frames(tmp_path)[:, 0, 0, 0], [0.1, 0.2, 1.0], atol=0.002)
    write_picture(tmp_path / "frame_11.png", np.zeros((4, 7, 3), np.float32))
    with pytest.raises(InputError, match=r"frame_11\.png: 7x4, but frame_1\.png is 6x4; all frames must have one size"):
        read_frames(tmp_path)


def test_folders_without_frames(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures in this folder"):
        read_frames(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        read_frames(tmp_path / "missing")
