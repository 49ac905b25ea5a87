"""The authors' photo without depth, as a user would hand it in."""

import json

import numpy as np
import pytest
from PIL import Image

from nvs_jax.cli import main
from nvs_jax.media import read_photo
from tests.commands.test_depth import write_small
from tests.tiny import write_tiny_folder


def test_a_photo_without_depth_runs_through(parity, tmp_path):
    source = parity.parent / "data" / "photo_without_depth.jpg"
    weights = write_small(tmp_path / "weights")
    turned = Image.open(source).resize((160, 120))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    options = ("--depth-weights", str(weights), "--path.frames", "3", "--picture.max-pixels", "20000")
    for photo, upright in ((source, False), (tmp_path / "turned.jpg", True)):
        out = tmp_path / photo.stem
        main(["single", str(photo), *options, "--preview", "--out", str(out)])
        warps = [read_photo(path) for path in sorted((out / "warps").iterdir())]
        assert len(warps) == 3 and (warps[0].shape[0] > warps[0].shape[1]) == upright
        assert json.loads((out / "run.json").read_text())["depth_kind"] == "disparity"


@pytest.mark.full
def test_a_photo_without_depth_is_rendered(parity, tmp_path):
    depth, svd = write_small(tmp_path / "depth"), write_tiny_folder(tmp_path / "svd")
    weights = ("--depth-weights", str(depth), "--weights", str(svd), "--steps", "1")
    photo = parity.parent / "data" / "photo_without_depth.jpg"
    main(["single", str(photo), *weights, "--picture.size", "64", "128", "--out", str(tmp_path / "out")])
    frames = [read_photo(path) for path in sorted((tmp_path / "out" / "frames").iterdir())]
    assert len(frames) > 1 and all(frame.shape == (64, 128, 3) and np.isfinite(frame).all() for frame in frames)
    assert (tmp_path / "out" / "video.mp4").stat().st_size > 0


def test_with_a_ramp_of_disparity_the_middle_stays(parity, tmp_path):
    source = parity.parent / "data" / "photo_without_depth.jpg"
    height, width = read_photo(source).shape[:2]
    ramp = np.repeat(np.linspace(2, 9, height, dtype=np.float32)[:, None], width, axis=1)
    np.save(tmp_path / "ramp.npy", ramp)
    depth = ("--depth", str(tmp_path / "ramp.npy"), "--depth-kind", "disparity")
    out = tmp_path / "out"
    size = ("--picture.max-pixels", "20000", "--path.frames", "5")
    main(["warp", str(source), *depth, *size, "--out", str(out)])
    first, *_, last = (read_photo(path) for path in sorted((out / "warps").iterdir()))
    hole = read_photo(sorted((out / "holes").iterdir())[-1])
    rows, columns = first.shape[:2]
    here = np.s_[rows * 2 // 5 : rows * 3 // 5, columns * 2 // 5 : columns * 3 // 5]
    assert hole.mean() < 0.2 and hole[here].mean() < 0.05
    # Four degrees round the middle: there hardly anything moves; a patch elsewhere would differ by about 0.2.
    assert np.abs(last - first)[here].mean() < 0.1
