"""Pictures of a session."""

import numpy as np
import pytest

from nvs_jax.studio.changes import with_warp
from nvs_jax.studio.pictures import curve, depth_beside, points_of, strip_of
from nvs_jax.studio.warps import HOLE
from tests.studio.sessions import photo_session


@pytest.fixture
def photo(tmp_path):
    return photo_session(tmp_path)


def test_points_are_where_the_depth_says_and_edges_are_left_out(photo):
    points = points_of(photo, torn=False)
    assert len(points.positions) == 24 * 32
    pose = photo.track.poses[0]
    z = points.positions @ pose[2, :3] + pose[2, 3]
    np.testing.assert_allclose(np.sort(z), np.sort(photo.scene.view.depth.ravel()), atol=1e-5)
    kept = points_of(photo)
    edges = 24 * 32 - len(kept.positions)
    assert 2 * (8 + 10) <= edges <= 3 * 2 * (8 + 10)  # on both sides of the square's outline
    whole = with_warp(photo, max_tilt=None)
    assert len(points_of(whole).positions) == 24 * 32


def test_the_depth_map_marks_what_is_left_out(photo):
    picture = depth_beside(photo)
    assert picture.shape == (24, 64, 3)
    marked = (picture[:, 32:] == np.round(255 * np.array(HOLE))).all(-1)
    assert marked[8, 10]
    assert not marked[12, 15]
    assert not marked[2, 2]


def test_the_curve_is_as_high_as_the_share_of_holes():
    picture = curve(np.array([0.0, 0.25, 0.75, 1.0]), 0).astype(int)
    filled = (abs(picture - np.round(255 * np.array(HOLE))).max(-1) < 2).mean(0)  # of columns of mostly invented frames
    width = picture.shape[1]
    assert filled[: width // 2 - 1].max() == 0
    assert filled[5 * width // 8] == pytest.approx(0.75, abs=0.03)
    assert filled[7 * width // 8] == pytest.approx(1.0, abs=0.03)


def test_the_strip_begins_and_ends_with_the_path(photo):
    pictures = np.stack([np.full((24, 32, 3), number, np.uint8) for number in range(13)])
    strip = strip_of(pictures, count=5, width=32)
    assert strip.shape == (24, 160, 3)
    assert strip[0, ::32, 0].tolist() == [0, 3, 6, 9, 12]
