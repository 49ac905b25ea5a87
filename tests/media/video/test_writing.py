import errno
import resource
import signal
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media import check_encoder, read_frames, write_frames, write_gif, write_video
from nvs_jax.media.photo import to_bytes
from tests.media.clips import facts
from tests.media.listing import names


def moving(frames: int, height: int, width: int) -> np.ndarray:
    """A smooth picture that moves to the right."""
    y, x = np.mgrid[:height, :width]
    shifts = np.arange(frames)[:, None, None]
    wave = np.sin((x + shifts) / 9)
    colours = [0.5 + 0.4 * wave, np.broadcast_to(y / height, wave.shape), np.broadcast_to(x / width, wave.shape)]
    return np.stack(colours, -1).astype(np.float32)


@pytest.mark.parametrize("size", [(64, 96), (65, 96), (64, 97), (71, 101)])
def test_video_reads_back(tmp_path: Path, size: tuple[int, int]) -> None:
    frames = moving(9, *size)
    write_video(tmp_path / "v.mp4", frames, fps=7)
    video = facts(tmp_path / "v.mp4")
    assert video.frames.shape == (9, size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    assert (video.codec, video.pix_fmt, video.rate, video.colour) == ("h264", "yuv420p", 7, (1, 1, 1, 1))
    assert np.abs(video.frames[:, : size[0], : size[1]] - frames).mean() < 0.01
    assert names(tmp_path) == ["v.mp4"]


@pytest.mark.parametrize("colour", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0.5), (1, 1, 1), (0, 0, 0)])
def test_colours_survive_the_video(tmp_path: Path, colour: tuple[float, ...]) -> None:
    write_video(tmp_path / "v.mp4", np.tile(np.array(colour, np.float32), (3, 32, 32, 1)), fps=2.5)
    video = facts(tmp_path / "v.mp4")
    assert video.rate == 2.5
    assert np.abs(video.frames - colour).max() < 0.015  # 4 of 255: 8 bits, limited range, rounded twice


def test_a_video_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="-1 frames a second cannot be written"):
        write_video(tmp_path / "v.mp4", moving(2, 32, 32), fps=-1)
    with pytest.raises(InputError, match="not finite"):
        write_video(tmp_path / "v.mp4", np.full((2, 32, 32, 3), np.nan, np.float32))
    with pytest.raises(InputError, match=r"v\.mp4: no frames to write"):
        write_video(tmp_path / "v.mp4", moving(2, 32, 32)[:0])
    with pytest.raises(InputError, match=r"must end in \.mp4"):
        write_video(tmp_path / "v.avi", moving(2, 32, 32))
    assert names(tmp_path) == []


@pytest.mark.parametrize("fps", [30000 / 1001, 23.976, 59.94, 120, 0.5])
def test_a_rate_is_kept_to_the_fraction(tmp_path: Path, fps: float) -> None:
    write_video(tmp_path / "v.mp4", moving(7, 32, 32), fps=fps)
    rate = facts(tmp_path / "v.mp4").rate
    assert rate is not None and abs(rate / Fraction(fps) - 1) < 1e-5


def test_the_index_comes_first(tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", moving(9, 64, 64))
    content = (tmp_path / "v.mp4").read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")


def test_a_full_disk_is_the_systems_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(OSError) as error:
            write_video(tmp_path / "v.mp4", moving(9, 64, 64))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)
    assert error.value.errno == errno.EFBIG
    assert names(tmp_path) == []


def test_a_missing_encoder_is_said_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    check_encoder()
    monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx264"})
    with pytest.raises(InputError, match="built without libx264"):
        check_encoder()


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


@pytest.mark.parametrize("fps", [30, 29.97, 7, 50])
def test_a_gif_lasts_as_long_as_its_frames(tmp_path: Path, fps: float) -> None:
    write_gif(tmp_path / "v.gif", moving(60, 8, 8), fps=fps)
    with Image.open(tmp_path / "v.gif") as image:
        lasts = 0
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            lasts += image.info["duration"]
    assert lasts == pytest.approx(60_000 / fps, abs=10)
