import subprocess
import sys
from pathlib import Path

import numpy as np

from nvs_jax.media import depth_picture, read_photo, trust_heat_map
from tests.media.listing import names


def test_the_heat_map_shows_the_trust(tmp_path: Path) -> None:
    trust = np.zeros((20, 25), np.float32)
    trust[10:, :12] = 1
    sigmas = np.geomspace(700, 0.002, 20).astype(np.float32)
    trust_heat_map(tmp_path / "weights.png", trust, sigmas)
    assert names(tmp_path) == ["weights.png"]
    picture = read_photo(tmp_path / "weights.png")
    ends = np.array([[253, 231, 37], [68, 1, 84]]) / 255  # of the colour map: for 1, for 0
    yellow, violet = (np.abs(picture - end).max(-1) < 0.02 for end in ends)
    y, x = np.argwhere(yellow[:, : picture.shape[1] * 3 // 4]).mean(0)
    upper, right = np.argwhere(violet).mean(0)
    assert y > upper  # later steps further down
    assert x < right  # later frames further right


def test_one_step_and_one_frame(tmp_path: Path) -> None:
    trust_heat_map(tmp_path / "weights.png", np.ones((1, 1), np.float32), np.ones(1, np.float32))
    assert read_photo(tmp_path / "weights.png").shape == (750, 1200, 3)


def test_depth_in_colours() -> None:
    depth = np.tile(np.linspace(1, 50, 100, dtype=np.float32), (4, 1))
    depth[0, :10] = 0
    picture = depth_picture(depth)
    brightness = picture.sum(-1)
    assert (np.diff(brightness[1]) <= 1e-3).all()  # near is bright
    assert brightness[1, 0] > 2
    assert not picture[0, :10].any()
    assert not depth_picture(np.zeros((2, 3), np.float32)).any()
    assert not np.ptp(depth_picture(np.ones((2, 3), np.float32)), axis=(0, 1)).any()


def test_media_needs_neither_jax_nor_matplotlib_to_start() -> None:
    program = "import sys, nvs_jax.media; print(sorted({'jax', 'torch', 'matplotlib', 'av'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
