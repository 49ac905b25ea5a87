"""Videos with their depth, read a frame at a time."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.inputs.video import read_conditions, read_video
from nvs_jax.inputs.view import DepthFile
from nvs_jax.media import write_frames, write_video
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.presets import load_settings
from tests.media.clips import Recording, record

HEIGHT, WIDTH, FRAMES = 64, 128, 6


def settings(frames: int | None = None) -> RenderSettings:
    return load_settings("fast", changes={"path": {"frames": frames}} if frames else {})


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Six greys as a clip of 24 frames a second and as pictures, with a depth map for each."""
    photos = np.repeat(np.linspace(0, 1, FRAMES, dtype=np.float32), HEIGHT * WIDTH * 3)
    photos = photos.reshape(FRAMES, HEIGHT, WIDTH, 3)
    write_frames(tmp_path / "frames", photos)
    write_video(tmp_path / "clip.mp4", photos, fps=24)
    (tmp_path / "depth").mkdir()
    for index in range(FRAMES):
        np.save(tmp_path / "depth" / f"{index}.npy", np.full((HEIGHT, WIDTH), 60 + index, np.float32))
    return tmp_path


@pytest.mark.parametrize(("name", "rate"), [("clip.mp4", 24), ("frames", None)])
@pytest.mark.parametrize("wanted", [None, 4])
def test_frames_with_their_depth_and_their_rate(video, name, rate, wanted, capsys):
    photos, depths, view = read_video(video / name, DepthFile(video / "depth", "depth"), settings(wanted), 64)
    count = wanted or FRAMES
    assert photos.dtype == np.uint8 and photos.shape == (count, HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(photos[:, 30, 60, 1] / 255, np.arange(count) / 5, atol=0.02)
    np.testing.assert_array_equal(depths[:, 0, 0], 60 + np.arange(count))
    assert view.fps == rate
    np.testing.assert_array_equal(view.picture, photos[0] / np.float32(255))
    said = capsys.readouterr().err
    assert said == (
        "" if wanted is None else f"{video / name}: the first 4 of 6 frames are used, as path.frames says\n"
    )


def test_only_the_frames_that_are_wanted_are_read(video):
    (video / "frames" / "005.png").write_bytes((video / "frames" / "005.png").read_bytes()[:60])  # its header is whole
    depth = DepthFile(video / "depth", "depth")
    assert len(read_video(video / "frames", depth, settings(4), 64).photos) == 4
    with pytest.raises(InputError, match=r"005\.png"):
        read_video(video / "frames", depth, settings(), 64)


@pytest.mark.parametrize("name", ["clip.mp4", "frames"])
@pytest.mark.parametrize("wanted", [None, 4])
def test_depth_maps_of_other_frames_are_refused(video, name, wanted):
    for index in range(3, FRAMES):
        (video / "depth" / f"{index}.npy").unlink()
    with pytest.raises(InputError, match=f"has {wanted or FRAMES} frames, but .* has 3 depth maps"):
        read_video(video / name, DepthFile(video / "depth", "depth"), settings(wanted), 64)


def test_uneven_times_are_said(video, capsys):
    frames = np.full((4, HEIGHT, WIDTH, 3), 90, np.uint8)
    path = record(video / "uneven.mkv", frames, how=Recording(rate=Fraction(10), times=(0, 1, 2, 6)))
    for index in (4, 5):
        (video / "depth" / f"{index}.npy").unlink()
    view = read_video(path, DepthFile(video / "depth", "depth"), settings(), 64).view
    assert view.fps == pytest.approx(5, rel=0.02)
    assert "not evenly spaced in time; the result has 5 a second throughout" in capsys.readouterr().err


def test_warps_of_another_size_are_refused_by_their_headers(video, monkeypatch):
    view = read_video(video / "frames", DepthFile(video / "depth", "depth"), settings(), 64).view
    for name in ("warps", "holes"):
        write_frames(video / "given" / name, np.zeros((3, 8, 8, 3), np.float32))
    monkeypatch.setattr("nvs_jax.inputs.video.read_frames", None)
    with pytest.raises(InputError, match=r"warps holds 3x8x8 \(frames, rows, columns\), but the video is 3x64x128"):
        read_conditions(video / "given", view, 3)
