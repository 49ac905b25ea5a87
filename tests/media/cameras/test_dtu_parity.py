from pathlib import Path

import numpy as np
import pytest

from nvs_jax.media import fit, read_depth, read_photo
from nvs_jax.media.cameras import CameraSet, point_cloud, read_cameras, read_picture


@pytest.fixture(scope="module")
def two_view(parity: Path) -> CameraSet:
    return read_cameras(parity.parent / "data" / "two_view")


def test_cameras_are_the_releases(two_view: CameraSet, parity: Path) -> None:
    path = np.load(parity / "warp" / "two_view_path.npz")
    left = two_view.cameras[0]
    np.testing.assert_allclose(left.resized(576, 1024), path["K"], rtol=1e-7)
    # The release makes the six digits of the file a rotation by way of a quaternion.
    np.testing.assert_allclose(two_view.poses, path["poses"][[0, -1]], atol=1e-6)
    assert [camera.picture and camera.picture.name for camera in two_view.cameras] == ["000001.jpg", "000002.jpg"]
    assert [camera.depth and camera.depth.name for camera in two_view.cameras] == ["000001.pfm", "000002.pfm"]


def test_the_crop_is_what_the_depth_belongs_to(two_view: CameraSet) -> None:
    """Colours of the left surface, seen in the right picture, agree, and far better than without the crop."""
    left, right = two_view.cameras
    assert left.depth is not None and left.picture is not None and right.picture is not None
    depth = read_depth(left.depth, "depth")

    def correlation(left_picture: np.ndarray, right_picture: np.ndarray) -> float:
        small, plan = fit(left_picture, depth.shape[0], depth.shape[1], "resize")
        points, colours = point_cloud(small, depth, left.resized(plan.height, plan.width), left.pose)
        height, width = right_picture.shape[:2]
        column, row = np.floor(right.project(points) * [width / right.width, height / right.height]).astype(int).T
        inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
        seen = right_picture[row[inside], column[inside]]
        return float(np.corrcoef(colours[inside].ravel(), seen.ravel())[0, 1])

    cropped = correlation(read_picture(left), read_picture(right))
    stretched = correlation(read_photo(left.picture), read_photo(right.picture))
    assert cropped > stretched + 0.2
