import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import CameraSet, DepthUnit, PosedCamera, read_transforms, write_ply, write_transforms
from tests.media.cameras.scenes import (
    CHANGES,
    KEEP,
    SEEDS,
    assert_same_cameras,
    damaged,
    picture_file,
    random_scene,
    refused,
    turned_picture,
)

# At z = 5, looking down -z, y up: the convention's own example.
AT_Z5 = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1]]
LENS = {"fl_x": 100, "fl_y": 90, "cx": 32, "cy": 24, "w": 64, "h": 48}


def by_hand(folder: Path, frame: dict[str, Any] | None = None, **shared: Any) -> Path:
    picture_file(folder / "images" / "0.png")
    frame = {"file_path": "images/0.png", "transform_matrix": AT_Z5} | (frame or {})
    content = {key: value for key, value in (LENS | {"frames": [frame]} | shared).items() if value is not None}
    path = folder / "transforms.json"
    path.write_text(json.dumps(content))
    return path


def test_a_camera_in_the_documents_convention(tmp_path: Path) -> None:
    (camera,) = read_transforms(by_hand(tmp_path)).cameras
    # In OpenCV's axes a point of the world at +x is right, one at +y is *up*, so at smaller rows.
    seen = camera.project(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 4]]))
    np.testing.assert_allclose(seen, [[32, 24], [52, 24], [32, 6], [32, 24]])
    assert (camera.pose @ [0, 0, 0, 1])[2] == 5
    assert camera.picture == tmp_path / "images" / "0.png"
    assert (camera.height, camera.width, camera.depth) == (48, 64, None)


def test_a_camera_that_looks_sideways(tmp_path: Path) -> None:
    # Stands at (3, 0, 0) and looks along +x with z up: right is -y, up is z, backward is -x.
    matrix = [[0, 0, -1, 3], [-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    (camera,) = read_transforms(by_hand(tmp_path, {"transform_matrix": matrix})).cameras
    seen = camera.project(np.array([[8.0, 0, 0], [8, -1, 0], [8, 0, 1]]))
    np.testing.assert_allclose(seen, [[32, 24], [52, 24], [32, 6]])


def test_intrinsics_of_a_frame_come_first(tmp_path: Path) -> None:
    (camera,) = read_transforms(by_hand(tmp_path, {"fl_x": 50, "cx": 30, "w": 60})).cameras
    np.testing.assert_array_equal(camera.intrinsics, [[50, 0, 30], [0, 90, 24], [0, 0, 1]])
    assert camera.width == 60


def test_intrinsics_that_are_left_out(tmp_path: Path) -> None:
    path = by_hand(tmp_path, fl_y=None, cx=None, cy=None, w=None, h=None)
    (camera,) = read_transforms(path).cameras
    np.testing.assert_array_equal(camera.intrinsics, [[100, 0, 32], [0, 100, 24], [0, 0, 1]])
    assert (camera.height, camera.width) == (48, 64)


def test_synthetic_scenes_of_nerf(tmp_path: Path) -> None:
    picture_file(tmp_path / "train" / "r_0.png", 800, 800)
    frame = {"file_path": "./train/r_0", "rotation": 0.0126, "transform_matrix": AT_Z5}
    content = {"camera_angle_x": 0.6911112070083618, "frames": [frame]}
    (tmp_path / "transforms_train.json").write_text(json.dumps(content))
    (camera,) = read_transforms(tmp_path).cameras
    np.testing.assert_allclose(camera.intrinsics[[0, 1], [0, 1]], 1111.111, atol=1e-3)  # the scenes' well-known focal
    np.testing.assert_array_equal(camera.intrinsics[:2, 2], [400, 400])
    assert camera.picture == tmp_path / "train" / "r_0.png"


def test_applied_transform_is_undone(tmp_path: Path) -> None:
    applied = [[1, 0, 0, 1], [0, 0, 1, 0], [0, -1, 0, 0]]  # nerfstudio's: y becomes -z, z becomes y; and a step
    points = np.array([[1.0, 2, 3]])
    write_ply(tmp_path / "points.ply", points @ np.array(applied)[:, :3].T + np.array(applied)[:, 3])
    original = np.array(AT_Z5, float)
    stored = np.vstack([applied, [0, 0, 0, 1]]) @ original
    path = by_hand(
        tmp_path, {"transform_matrix": stored.tolist()}, applied_transform=applied, ply_file_path="points.ply"
    )
    undone = read_transforms(path)
    assert undone.points is not None
    np.testing.assert_allclose(np.linalg.inv(undone.poses[0])[:3, 3], [0, 0, 5], atol=1e-12)
    np.testing.assert_allclose(undone.points, points, atol=1e-6)
    np.testing.assert_allclose(undone.cameras[0].project(points), [[32 + 100 / 2, 24 - 2 * 90 / 2]], atol=1e-9)


def test_depth(tmp_path: Path) -> None:
    (tmp_path / "depth").mkdir()
    (tmp_path / "depth" / "0.npy").touch()
    (camera,) = read_transforms(by_hand(tmp_path, {"depth_file_path": "depth/0.npy"})).cameras
    assert camera.depth == tmp_path / "depth" / "0.npy"
    assert "depth_file_path: there is no file 'depth/1.npy'" in refused(
        read_transforms, by_hand(tmp_path, {"depth_file_path": "depth/1.npy"})
    )


@pytest.mark.parametrize(
    ("frame", "shared", "expected"),
    [
        ({}, {"integer_depth_scale": 2e-4}, DepthUnit(2e-4, "integer_depth_scale")),
        ({}, {"depth_unit_scale_factor": 1e-3}, DepthUnit(1e-3, "depth_unit_scale_factor")),
        (
            {"depth_unit_scale_factor": 0.5},
            {"depth_unit_scale_factor": 1e-3},
            DepthUnit(0.5, "depth_unit_scale_factor"),
        ),
        ({}, {}, None),
        ({"depth_path": "0.npy"}, {"integer_depth_scale": 2e-4}, None),
        ({"depth_path": "0.npy"}, {"depth_unit_scale_factor": 0.5}, DepthUnit(0.5, "depth_unit_scale_factor")),
    ],
)
def test_what_a_step_of_depth_is_worth(tmp_path: Path, frame, shared, expected) -> None:
    for suffix in ("npy", "png"):
        (tmp_path / f"0.{suffix}").touch()
    (camera,) = read_transforms(by_hand(tmp_path, {"depth_path": "0.png"} | frame, **shared)).cameras
    assert camera.depth_unit == expected
    write_transforms(tmp_path / "again.json", CameraSet((camera,)))
    (again,) = read_transforms(tmp_path / "again.json").cameras
    assert (again.depth_unit and again.depth_unit.size) == (expected and expected.size)


def test_depth_that_is_not_wanted_need_not_be_there(tmp_path: Path) -> None:
    path = by_hand(tmp_path, {"depth_file_path": "depth/1.npy"})
    assert read_transforms(path, depth=False).cameras[0].depth is None


@pytest.mark.parametrize("name", ["images/0", "./images/0", r"images\0.png", r".\images\0.png", r"images\0"])
def test_paths_as_other_systems_write_them(tmp_path: Path, name: str) -> None:
    (camera,) = read_transforms(by_hand(tmp_path, {"file_path": name})).cameras
    assert camera.picture is not None and camera.picture.samefile(tmp_path / "images" / "0.png")


@pytest.mark.parametrize("name", ["/home/x/images/0.png", r"C:\data\images\0.png", r"\\server\images\0.png"])
def test_whole_paths_of_another_machine_are_named(tmp_path: Path, name: str) -> None:
    said = refused(read_transforms, by_hand(tmp_path, {"file_path": name}))
    assert "a whole path of another machine? Write it relative to the file" in said


def test_sizes_are_those_of_the_stored_pixels(tmp_path: Path) -> None:
    path = by_hand(tmp_path, {"file_path": "images/turned.jpg"}, w=None, h=None, cx=None, cy=None)
    turned_picture(tmp_path / "images" / "turned.jpg", 6)
    (camera,) = read_transforms(path).cameras
    assert (camera.height, camera.width) == (48, 64)
    np.testing.assert_array_equal(camera.intrinsics, [[100, 0, 32], [0, 90, 24], [0, 0, 1]])


def test_only_what_is_asked_for_must_be_there(tmp_path: Path) -> None:
    frames = [{"file_path": f"images/{i}.png", "transform_matrix": AT_Z5} for i in (7, 0)]
    path = by_hand(tmp_path, frames=frames, ply_file_path="none.ply")
    scene = read_transforms(path, (1,), points=False)
    assert [camera.picture for camera in scene.cameras] == [tmp_path / "images" / "0.png"]
    assert (scene.points, scene.names) == (None, ("images/7.png", "images/0.png"))
    assert "images/7.png" in refused(read_transforms, path, points=False)
    assert "none.ply" in refused(read_transforms, path, (1,))
    assert "has cameras 0 to 1, so there is no camera 2" in refused(read_transforms, path, (2,))


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, shared_lens=st.booleans())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, seed: int, shared_lens: bool) -> None:
    base = tmp_path_factory.getbasetemp().resolve()
    scene = random_scene(base, seed, shared_lens=shared_lens)
    write_transforms(base / "transforms.json", scene)
    again = read_transforms(base)
    assert_same_cameras(again, scene)
    assert [camera.picture for camera in again.cameras] == [camera.picture for camera in scene.cameras]
    assert again.points is not None and scene.points is not None
    np.testing.assert_allclose(again.points, scene.points, rtol=1e-6)  # .ply is float32
    np.testing.assert_array_equal(again.colours, scene.colours)


def test_the_documented_fields_are_written(tmp_path: Path) -> None:
    scene = random_scene(tmp_path, 1, shared_lens=True)
    depth = tmp_path / "depth" / "1.npy"
    first = scene.cameras[0]
    posed = PosedCamera(np.diag([1.0, -1, -1, 1]), first.intrinsics, 48, 64, first.picture, depth)
    write_transforms(tmp_path / "transforms.json", CameraSet((posed, *scene.cameras[1:]), scene.points, scene.colours))
    content = json.loads((tmp_path / "transforms.json").read_text())
    assert content.keys() >= {"camera_model", "fl_x", "fl_y", "cx", "cy", "w", "h", "k1", "k2", "p1", "p2", "frames"}
    assert (content["camera_model"], content["w"], content["h"], content["k1"]) == ("OPENCV", 64, 48, 0)
    assert content["ply_file_path"] == "sparse_pc.ply"
    frame = content["frames"][0]
    assert (frame["file_path"], frame["depth_file_path"]) == ("images/0.png", "depth/1.npy")
    assert frame["transform_matrix"] == np.eye(4).tolist()  # OpenGL's own camera
    assert "depth_file_path" not in content["frames"][1]


def test_lenses_that_differ_are_written_with_their_frames(tmp_path: Path) -> None:
    write_transforms(tmp_path / "transforms.json", random_scene(tmp_path, 1, shared_lens=False))
    content = json.loads((tmp_path / "transforms.json").read_text())
    assert "fl_x" not in content
    assert all({"fl_x", "fl_y", "cx", "cy", "w", "h"} <= frame.keys() for frame in content["frames"])


def test_what_cannot_be_written(tmp_path: Path) -> None:
    camera = random_scene(tmp_path, 1, shared_lens=True).cameras[0]
    path = tmp_path / "transforms.json"
    without = PosedCamera(camera.pose, camera.intrinsics, 48, 64, None)
    assert "camera 0 has no picture" in refused(write_transforms, path, CameraSet((without,)))
    cropped = PosedCamera(camera.pose, camera.intrinsics, 48, 64, camera.picture, crop=(0, 0, 4, 4))
    assert "sees a part" in refused(write_transforms, path, CameraSet((cropped,)))
    assert not path.exists()


@pytest.mark.parametrize(
    ("frame", "shared", "message"),
    [
        ({}, {"frames": []}, "holds no frames"),
        ({}, {"frames": None}, "list of 'frames'"),
        ({}, {"frames": [3]}, "frame 0 must be an object"),
        (
            {"file_path": "images/1.png"},
            {},
            "frame 0: file_path: there is no file 'images/1.png' beside transforms",
        ),
        ({"file_path": "/nowhere/1.png"}, {}, "there is no file"),
        ({"file_path": "a\0b"}, {}, "there is no file"),
        ({"file_path": "x" * 5000}, {}, "there is no file"),
        ({"file_path": "\ud800"}, {}, "there is no file"),
        ({"file_path": None}, {}, "file_path must name a file"),
        ({"transform_matrix": None}, {}, "frame 0: transform_matrix must be 4 lists of 4 numbers"),
        ({"transform_matrix": AT_Z5[:3]}, {}, "must be 4 lists of 4 numbers"),
        ({"transform_matrix": [[True] * 4] * 4}, {}, "must be a finite number within 1e+15, not a bool"),
        ({"transform_matrix": [[float("nan")] * 4] * 4}, {}, "not nan"),
        ({"transform_matrix": [[10**400] * 4] * 4}, {}, "not a int"),
        ({"transform_matrix": (2 * np.eye(4)).tolist()}, {}, "frame 0: the rotation's rows are not orthogonal"),
        ({"transform_matrix": np.diag([1, 1, -1, 1]).tolist()}, {}, "frame 0: the rotation is a mirror image"),
        ({}, {"applied_transform": [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]]}, "applied_transform: the rotation's"),
        ({}, {"applied_transform": 7}, "applied_transform must be 3 lists of 4 numbers"),
        ({}, {"camera_model": "OPENCV_FISHEYE"}, "not a pinhole"),
        ({}, {"camera_model": ["OPENCV"]}, "not a pinhole"),
        ({}, {"is_fisheye": True}, "distortion"),
        ({"k1": -0.01}, {}, "frame 0: the lens has distortion (k1); undistort the pictures"),
        ({}, {"fl_x": "100"}, "frame 0: fl_x must be a finite number within 1e+15, not a str"),
        ({}, {"fl_x": -100}, "focal lengths must be positive"),
        ({}, {"fl_x": None, "fl_y": None}, "no focal length: fl_x (pixels) is missing, and so is camera_angle_x"),
        ({}, {"fl_x": None, "fl_y": None, "camera_angle_x": 4}, "between 0 and pi"),
        ({}, {"w": 0}, "no picture's size"),
        ({}, {"ply_file_path": "none.ply"}, "ply_file_path: there is no file"),
    ],
)
def test_what_is_refused(tmp_path: Path, frame: dict, shared: dict, message: str) -> None:
    assert message in refused(read_transforms, by_hand(tmp_path, frame, **shared))


def test_files_that_are_no_json(tmp_path: Path) -> None:
    path = tmp_path / "transforms.json"
    assert "transforms.json: no such file" in refused(read_transforms, tmp_path)
    for content in (b"", b"{", b"[1]", b'"a"', b"[" * 100000, b'{"frames": ' + b"9" * 5000 + b"}", b"\xff\xfe"):
        path.write_bytes(content)
        assert str(path) in refused(read_transforms, path)


@settings(max_examples=150, deadline=None)
@given(changes=CHANGES, keep=KEEP)
def test_damaged_bytes_give_cameras_or_an_input_error(tmp_path_factory, changes, keep) -> None:
    path = by_hand(tmp_path_factory.getbasetemp() / "fuzz")
    path.write_bytes(damaged(path.read_bytes(), changes, keep))
    try:
        scene = read_transforms(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(scene.poses).all()
