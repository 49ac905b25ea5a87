from pathlib import Path

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.inputs.depth_maps import open_maps
from nvs_jax.inputs.understood import Origin, inputs_line
from nvs_jax.inputs.video import read_video
from nvs_jax.inputs.view import DepthFile, read_view
from nvs_jax.media import write_frames, write_picture, write_video
from nvs_jax.settings.presets import load_settings
from tests.media import geometry_writers as written
from tests.media.geometry_writers import DEPTHS, PICTURES, H, N, W

SETTINGS = load_settings("fast", "video", {"picture": {"size": [H, W]}})


def frames_of(folder: Path) -> Path:
    write_frames(folder, PICTURES.astype(np.float32) / 255)
    return folder


def test_a_videos_maps_as_one_array(tmp_path: Path, capsys) -> None:
    frames = frames_of(tmp_path / "frames")
    np.save(tmp_path / "d.npy", DEPTHS)
    video = read_video(frames, DepthFile(tmp_path / "d.npy", "depth"), SETTINGS, 14)
    np.testing.assert_allclose(video.depths, DEPTHS, rtol=1e-6)
    assert "its array holds 3 maps of 28x42 (height x width)" in capsys.readouterr().err
    np.save(tmp_path / "d.npy", DEPTHS[:2])
    with pytest.raises(InputError, match=r"has 3 frames, but .* has 2 depth maps"):
        read_video(frames, DepthFile(tmp_path / "d.npy", "depth"), SETTINGS, 14)


def test_depthcrafters_array_called_depth_is_disparity_if_asked(tmp_path: Path, capsys) -> None:
    path = written.depthcrafter(tmp_path / "d.npz", 1 / DEPTHS)
    frames = frames_of(tmp_path / "frames")
    released = load_settings(
        "fast", "video", {"picture": {"size": [H, W]}, "camera": {"disparity": {"rule": "release"}, "far": 1e6}}
    )
    video = read_video(frames, DepthFile(path, "disparity"), released, 14)
    scaled = (1 / DEPTHS - (1 / DEPTHS).min()) / np.ptp(1 / DEPTHS)
    np.testing.assert_allclose(video.depths, np.minimum(1e4 / np.maximum(scaled, 1e-9), 1e6), rtol=1e-4)
    read_video(frames, DepthFile(path, "depth"), SETTINGS, 14)
    assert "goes from 0 to 1, as DepthCrafter's disparity does" in capsys.readouterr().err


def test_a_video_of_greys_is_disparity_and_one_of_colours_is_refused(tmp_path: Path) -> None:
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)[None, None, :, None]
    greys = np.broadcast_to(ramp, (3, 48, 64, 3))
    write_video(tmp_path / "d.mp4", greys, fps=10)
    with open_maps(DepthFile(tmp_path / "d.mp4", "disparity")) as maps:
        values = np.stack([values for _, values in maps.each])
    assert values.shape == (3, 48, 64)
    assert np.abs(values / 255 - greys[..., 0]).max() < 0.03  # 8 bits, and what H.264 leaves of them
    with pytest.raises(InputError, match="no unit"), open_maps(DepthFile(tmp_path / "d.mp4", "depth")):
        pass
    colours = np.stack([greys[..., 0], 1 - greys[..., 0], greys[..., 0]], -1)
    write_video(tmp_path / "vis.mp4", colours, fps=10)
    coloured = DepthFile(tmp_path / "vis.mp4", "disparity")
    with pytest.raises(InputError, match="a video of colours"), open_maps(coloured) as maps:
        next(maps.each)


def test_a_map_that_is_damaged_is_named_by_its_number(tmp_path: Path) -> None:
    values = DEPTHS.copy()
    values[1, 0, 0] = np.nan
    np.save(tmp_path / "d.npy", values)
    with (
        open_maps(DepthFile(tmp_path / "d.npy", "depth")) as maps,
        pytest.raises(InputError, match=r"d.npy, map 1: 1 of 1176 depth values are not finite"),
    ):
        list(maps.each)


@pytest.mark.parametrize("given", [False, True])
def test_the_focal_length_beside_depth_is_taken_unless_another_is_given(tmp_path: Path, given: bool) -> None:
    write_picture(tmp_path / "photo.png", PICTURES[0].astype(np.float32) / 255)
    values = {"picture": {"size": [H, W]}} | ({"camera": {"focal": 2.0}} if given else {})
    settings = load_settings("fast", "single", values)
    for path, focal in (
        (written.moge(tmp_path / "m.npz"), 40 / W),
        (written.moge_folder(tmp_path / "photo"), 0.5 / np.tan(np.radians(30))),
    ):
        view = read_view(tmp_path / "photo.png", DepthFile(path, "depth"), settings, 14)
        assert view.intrinsics[0, 0] == pytest.approx(2.0 * W if given else focal * W, rel=1e-5)
        source = "by --camera.focal" if given else "as m.npz says" if path.suffix == ".npz" else "as fov.json says"
        assert source in inputs_line(view, settings, Origin("single"))
    assert N == 3
