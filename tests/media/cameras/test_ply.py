import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import PosedCamera, point_cloud, read_ply, write_ply
from tests.media.cameras.scenes import CHANGES, KEEP, damaged, random_intrinsics, random_pose, refused

POINTS = np.array([[0.0, 1, 2], [-3, 4.5, 1e6]])
COLOURS = np.array([[1, 2, 3], [255, 0, 128]], np.uint8)
HEADER = (
    "ply\nformat binary_little_endian 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\n"
    "property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
)
TEXT = (
    "ply\r\nformat ascii 1.0\r\ncomment made by hand\r\nelement vertex 2\r\nproperty double z\r\nproperty double y\r\n"
    "property double x\r\nproperty int nx\r\nelement face 1\r\nproperty list uchar int vertex_indices\r\nend_header\r\n"
    "2 1 0 7\r\n1e6 4.5 -3 8\r\n3 0 1 1\r\n"
)


def test_bytes_as_documented(tmp_path: Path) -> None:
    write_ply(tmp_path / "a.ply", POINTS, COLOURS)
    expected = HEADER.encode() + struct.pack("<3f3B3f3B", 0, 1, 2, 1, 2, 3, -3, 4.5, 1e6, 255, 0, 128)
    assert (tmp_path / "a.ply").read_bytes() == expected
    points, colours = read_ply(tmp_path / "a.ply")
    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_array_equal(colours, COLOURS)


def test_colours_may_be_left_out(tmp_path: Path) -> None:
    write_ply(tmp_path / "a.ply", POINTS)
    np.testing.assert_array_equal(read_ply(tmp_path / "a.ply")[1], 128)
    (tmp_path / "b.ply").write_bytes(TEXT.encode())
    points, colours = read_ply(tmp_path / "b.ply")
    np.testing.assert_array_equal(points, POINTS)
    assert colours is None


def test_other_spellings(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    body = struct.pack(">3f3B3f3B", 0, 1, 2, 1, 2, 3, -3, 4.5, 1e6, 255, 0, 128)
    path.write_bytes(HEADER.replace("little", "big").encode() + body)
    np.testing.assert_array_equal(read_ply(path)[0], POINTS)
    path.write_text(HEADER.replace("binary_little_endian", "ascii") + "0 1 2 1 2 3\n-3 4.5 1e6 255 0 128\n")
    points, colours = read_ply(path)
    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_array_equal(colours, COLOURS)


def test_an_empty_cloud(tmp_path: Path) -> None:
    write_ply(tmp_path / "a.ply", np.zeros((0, 3)), np.zeros((0, 3), np.uint8))
    points, colours = read_ply(tmp_path / "a.ply")
    assert points.shape == (0, 3)
    assert colours is not None and colours.shape == (0, 3)


def test_point_cloud_projects_back_onto_pixel_centres() -> None:
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 5, (4, 6)).astype(np.float32)
    depth[0, 1], depth[1, 0], depth[2, 2] = 0, np.inf, np.nan
    picture = rng.uniform(0, 1, (4, 6, 3)).astype(np.float32)
    camera = PosedCamera(random_pose(2), random_intrinsics(2), 4, 6, None)
    points, colours = point_cloud(picture, depth, camera.intrinsics, camera.pose)
    row, column = np.nonzero(np.isfinite(depth) & (depth > 0))
    assert len(points) == 21
    np.testing.assert_allclose(camera.project(points), np.stack([column, row], -1) + 0.5, atol=1e-6)
    np.testing.assert_allclose((points @ camera.pose[2, :3]) + camera.pose[2, 3], depth[row, column], rtol=1e-6)
    np.testing.assert_array_equal(colours, np.round(picture[row, column] * 255))


def test_a_point_by_hand() -> None:
    K = np.array([[2.0, 0, 1.5], [0, 2, 0.5], [0, 0, 1]])  # the principal ray goes through pixel (1, 0)
    depth = np.array([[4.0, 4, 4]], np.float32)
    pose = np.eye(4)
    pose[:3, 3] = [0, 0, -10]  # the camera stands at z = 10
    points, _ = point_cloud(np.zeros((1, 3, 3), np.float32), depth, K, pose)
    np.testing.assert_array_equal(points, [[-2, 0, 14], [0, 0, 14], [2, 0, 14]])


def test_what_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    assert "1 colours for 2 points" in refused(write_ply, path, POINTS, COLOURS[:1])
    assert "must be finite" in refused(write_ply, path, np.array([[np.nan, 0, 0]]))
    assert not path.exists()
    picture, depth = np.zeros((2, 3, 3), np.float32), np.ones((3, 2), np.float32)
    assert "2x3, its depth 3x2" in refused(point_cloud, picture, depth, np.eye(3), np.eye(4))
    assert "no such file" in refused(read_ply, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a .ply file"),
        ("ply\nformat ascii 1.0\n", "not a .ply file"),
        ("ply\nend_header\n", "must name the format"),
        (TEXT.replace("ascii", "utf-8"), "must name the format"),
        (TEXT.replace("vertex", "corner"), "must begin with its vertices"),
        (TEXT.replace("vertex 2", "vertex -2"), "must begin with its vertices"),
        (TEXT.replace("vertex 2", "vertex 9"), "ends early"),
        (TEXT.replace("double x", "double w"), "no x, y and z"),
        (TEXT.replace("double x", "double z"), "cannot read"),
        (TEXT.replace("double x", "quad x"), "cannot read"),
        (TEXT.replace("int nx", "list uchar int nx"), "cannot read"),
        (TEXT.replace("4.5", "nan"), "must be finite"),
        (TEXT.replace("4.5", "4,5"), "'4,5' is not a number"),
        (HEADER, "ends early"),
        (HEADER.replace("vertex 2", "vertex 9999999999"), "ends early"),
        (HEADER.replace("binary_little_endian", "ascii") + "0 1 2 1 2 3\n0 1 2 256 0 0\n", "colours must be"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.ply").write_bytes(content.encode())
    assert message in refused(read_ply, tmp_path / "a.ply")


@pytest.mark.parametrize("spelling", ["binary", "text"])
@settings(max_examples=150, deadline=None)
@given(changes=CHANGES, keep=KEEP)
def test_damaged_bytes_give_points_or_an_input_error(tmp_path_factory, spelling, changes, keep) -> None:
    path = tmp_path_factory.getbasetemp() / f"{spelling}.ply"
    write_ply(path, POINTS, COLOURS)
    path.write_bytes(damaged(path.read_bytes() if spelling == "binary" else TEXT.encode(), changes, keep))
    try:
        points, _ = read_ply(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(points).all()
