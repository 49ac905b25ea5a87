import struct
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import CameraSet, PosedCamera, read_colmap, write_colmap
from nvs_jax.media.cameras.colmap import model_folder
from tests.media.cameras.scenes import (
    CHANGES,
    HEIGHT,
    KEEP,
    SEEDS,
    WIDTH,
    assert_same_cameras,
    damaged,
    picture_file,
    random_scene,
    refused,
)

KINDS = ("binary", "text")
CAMERAS = "# a comment\n3 PINHOLE 64 48 100 90 32 24\n7 SIMPLE_PINHOLE 640 480 500 320 240\n"
# Image 5 stands at world (5, 0, 0) and looks along -x: a quarter turn about y (w = y = sqrt 1/2) takes world -x to
# camera +z. Its second line lists three positions, of which the second shows no point.
IMAGES = (
    "# IMAGE_ID ...\n"
    "5 0.70710678118654752 0 0.70710678118654752 0 0 0 5 3 b.png\n"
    "32 24 9 1.5 2.5 -1 10 20 4\n"
    "6 1 0 0 0 1 2 3 7 a.png\n"
    "\n"
)
POINTS = "9 0 0 0 255 128 0 0.5 5 0\n4 1 2 3 1 2 3 0.5 5 2\n"


def text_model(folder: Path, cameras: str = CAMERAS, images: str = IMAGES, points: str = POINTS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("cameras", cameras), ("images", images), ("points3D", points)):
        (folder / f"{name}.txt").write_text(content)
    return folder


def binary_model(folder: Path) -> Path:
    """The same model, byte by byte."""
    folder.mkdir(parents=True, exist_ok=True)
    root = 0.70710678118654752
    cameras = struct.pack("<Q", 2) + struct.pack("<IiQQ4d", 3, 1, 64, 48, 100, 90, 32, 24)
    cameras += struct.pack("<IiQQ3d", 7, 0, 640, 480, 500, 320, 240)
    images = struct.pack("<Q", 2) + struct.pack("<I7dI", 5, root, 0, root, 0, 0, 0, 5, 3) + b"b.png\0"
    images += struct.pack("<Q", 3) + struct.pack("<ddqddqddq", 32, 24, 9, 1.5, 2.5, -1, 10, 20, 4)
    images += struct.pack("<I7dI", 6, 1, 0, 0, 0, 1, 2, 3, 7) + b"a.png\0" + struct.pack("<Q", 0)
    points = struct.pack("<Q", 2) + struct.pack("<Q3d3BdQII", 9, 0, 0, 0, 255, 128, 0, 0.5, 1, 5, 0)
    points += struct.pack("<Q3d3BdQII", 4, 1, 2, 3, 1, 2, 3, 0.5, 1, 5, 2)
    for name, content in (("cameras", cameras), ("images", images), ("points3D", points)):
        (folder / f"{name}.bin").write_bytes(content)
    return folder


@pytest.mark.parametrize("make", [text_model, binary_model])
def test_a_model_by_hand(tmp_path: Path, make) -> None:
    scene = read_colmap(make(tmp_path / "m"))
    first, second = scene.cameras  # sorted by name
    np.testing.assert_array_equal(first.pose, [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]])
    np.testing.assert_array_equal(first.intrinsics, [[500, 0, 320], [0, 500, 240], [0, 0, 1]])
    assert (first.height, first.width, first.picture) == (480, 640, None)
    np.testing.assert_array_equal(second.intrinsics, [[100, 0, 32], [0, 90, 24], [0, 0, 1]])
    np.testing.assert_allclose(np.linalg.inv(second.pose)[:3, 3], [5, 0, 0], atol=1e-12)
    seen = second.project(np.array([[0.0, 0, 0], [0, 0, 1], [0, 1, 0]]))
    np.testing.assert_allclose(seen, [[32, 24], [32 + 100 / 5, 24], [32, 24 + 90 / 5]], atol=1e-9)
    assert scene.points is not None and scene.colours is not None and scene.observations is not None
    np.testing.assert_array_equal(scene.points, [[0, 0, 0], [1, 2, 3]])
    np.testing.assert_array_equal(scene.colours, [[255, 128, 0], [1, 2, 3]])
    assert scene.observations[0].point.size == 0
    np.testing.assert_array_equal(scene.observations[1].point, [0, 1])
    np.testing.assert_array_equal(scene.observations[1].xy, [[32, 24], [10, 20]])


@pytest.mark.parametrize("make", [text_model, binary_model])
def test_pycolmap_reads_the_model_by_hand_alike(tmp_path: Path, make) -> None:
    theirs = pycolmap.Reconstruction(str(make(tmp_path / "m")))
    pose = theirs.images[5].cam_from_world().matrix()
    np.testing.assert_allclose(read_colmap(tmp_path / "m").cameras[1].pose[:3], pose, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, shared_lens=st.booleans())
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, kind, seed: int, shared_lens: bool) -> None:
    base = tmp_path_factory.mktemp("scene")
    scene = random_scene(base, seed, shared_lens=shared_lens, pictures=False)
    write_colmap(base / "m", scene, kind=kind)
    again = read_colmap(base / "m")
    assert_same_cameras(again, scene)
    assert again.observations is not None and scene.observations is not None
    np.testing.assert_array_equal(again.points, scene.points)
    np.testing.assert_array_equal(again.colours, scene.colours)
    for ours, theirs in zip(again.observations, scene.observations, strict=True):
        np.testing.assert_array_equal(ours.point, theirs.point)
        np.testing.assert_array_equal(ours.xy, theirs.xy)


@pytest.mark.parametrize("kind", KINDS)
def test_pycolmap_opens_what_is_written(tmp_path: Path, kind) -> None:
    scene = random_scene(tmp_path, 5, shared_lens=False, pictures=False)
    write_colmap(tmp_path / "m", scene, kind=kind)
    theirs = pycolmap.Reconstruction(str(tmp_path / "m"))
    assert theirs.num_reg_images() == 3
    assert theirs.num_points3D() == 10
    assert scene.points is not None and scene.observations is not None
    for image in theirs.images.values():
        camera = scene.cameras[image.image_id - 1]
        in_front = [point for point in scene.points if camera.pose[2, :3] @ point + camera.pose[2, 3] > 0.01]
        for point in in_front:
            np.testing.assert_allclose(image.project_point(point), camera.project(point[None])[0], rtol=1e-9)
        seen = scene.observations[image.image_id - 1]
        np.testing.assert_array_equal([entry.point3D_id for entry in image.points2D], seen.point + 1)
    for number, point in theirs.points3D.items():
        np.testing.assert_array_equal(point.xyz, scene.points[number - 1])
        for entry in point.track.elements:
            assert theirs.images[entry.image_id].points2D[entry.point2D_idx].point3D_id == number


def test_what_pycolmap_writes_is_read(tmp_path: Path) -> None:
    scene = random_scene(tmp_path, 6, shared_lens=False, pictures=False)
    write_colmap(tmp_path / "m", scene)
    theirs = pycolmap.Reconstruction(str(tmp_path / "m"))
    for name, write in (("text", theirs.write_text), ("binary", theirs.write_binary)):
        (tmp_path / name).mkdir()
        write(str(tmp_path / name))
        again = read_colmap(tmp_path / name)
        assert_same_cameras(again, scene)
        assert again.points is not None and again.observations is not None and scene.points is not None
        assert scene.observations is not None
        for ours, written in zip(again.observations, scene.observations, strict=True):
            np.testing.assert_array_equal(again.points[ours.point], scene.points[written.point])


def test_where_models_and_pictures_lie(tmp_path: Path) -> None:
    for place in ("one", "two/sparse", "three/sparse/0"):
        project = tmp_path / place.split("/")[0]
        text_model(tmp_path / place)
        for name in "ab":
            picture_file(project / "images" / f"{name}.png")
        first = read_colmap(project).cameras[0].picture
        assert first is not None and first.samefile(project / "images" / "a.png")
    picture_file(tmp_path / "elsewhere" / "a.png")
    assert "image 'b.png': its picture is not in" in refused(read_colmap, tmp_path / "one", tmp_path / "elsewhere")
    assert "no such folder of pictures" in refused(read_colmap, tmp_path / "one", tmp_path / "nowhere")
    assert "no COLMAP model" in refused(read_colmap, tmp_path)
    outside = text_model(tmp_path / "one", images=IMAGES.replace("a.png", "../elsewhere/a.png"))
    assert "leads out of the folder" in refused(read_colmap, outside)


@pytest.mark.parametrize("make", [text_model, binary_model])
def test_of_several_models_the_one_with_most_pictures_is_read_and_named(tmp_path: Path, make) -> None:
    make(tmp_path / "sparse" / "1")
    make(tmp_path / "sparse" / "10")
    text_model(tmp_path / "sparse" / "0", images="6 1 0 0 0 1 2 3 7 a.png\n\n", points="")
    scene = read_colmap(tmp_path)
    assert len(scene.cameras) == 2
    taken = tmp_path / "sparse" / "1"
    others = f"sparse/0 has 1, {'sparse/10'} has 2"
    assert scene.notes == (f"{taken} is read as the scene, as the model of most pictures, 2; {others}",)
    assert model_folder(tmp_path) == taken
    assert not read_colmap(tmp_path / "sparse" / "0").notes


def test_only_what_is_asked_for_must_be_there(tmp_path: Path) -> None:
    folder = text_model(tmp_path / "sparse" / "0")
    (folder / "points3D.txt").unlink()
    picture = picture_file(tmp_path / "images" / "b.png")
    scene = read_colmap(tmp_path, chosen=(1,), points=False)
    assert [camera.picture for camera in scene.cameras] == [picture]
    assert (scene.points, scene.observations, scene.names) == (None, None, ("a.png", "b.png"))
    assert "image 'a.png': its picture is not in" in refused(read_colmap, tmp_path, points=False)
    assert "points3D.txt: no such file" in refused(read_colmap, tmp_path, chosen=(1,))
    assert "has cameras 0 to 1, so there is no camera -1" in refused(read_colmap, folder, chosen=(-1,), points=False)


def test_what_chosen_pictures_show_goes_with_them(tmp_path: Path) -> None:
    scene = read_colmap(text_model(tmp_path), chosen=(1, 0))
    assert scene.observations is not None
    assert [seen.point.tolist() for seen in scene.observations] == [[0, 1], []]


def test_names_with_backslashes_are_found(tmp_path: Path) -> None:
    text_model(tmp_path / "sparse" / "0", images="6 1 0 0 0 1 2 3 7 left\\a.png\n\n", points="")
    picture = picture_file(tmp_path / "images" / "left" / "a.png")
    assert read_colmap(tmp_path).cameras[0].picture == picture


@pytest.mark.parametrize("kind", KINDS)
def test_names_start_from_the_folder_of_pictures(tmp_path: Path, kind) -> None:
    camera = random_scene(tmp_path, 0, shared_lens=True, pictures=False).cameras[0]
    paths = [picture_file(tmp_path / "images" / side / "0.png") for side in ("left", "right")]
    scene = CameraSet(tuple(PosedCamera(camera.pose, camera.intrinsics, HEIGHT, WIDTH, path) for path in paths))
    write_colmap(tmp_path / "sparse" / "0", scene, tmp_path / "images", kind=kind)
    assert [camera.picture for camera in read_colmap(tmp_path).cameras] == paths
    assert "'0.png' names two pictures" in refused(write_colmap, tmp_path / "m", scene)
    assert "not in the folder of pictures" in refused(write_colmap, tmp_path / "m", scene, tmp_path / "sparse")
    assert not (tmp_path / "m").exists()


def test_writing_replaces_nothing(tmp_path: Path) -> None:
    scene = random_scene(tmp_path, 0, shared_lens=True)
    assert "already" in refused(write_colmap, tmp_path, scene)
    assert (tmp_path / "images" / "0.png").is_file()
    (tmp_path / "empty").mkdir()
    write_colmap(tmp_path / "empty", scene)
    assert "already" in refused(write_colmap, tmp_path / "empty", scene)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    camera = random_scene(tmp_path, 0, shared_lens=True, pictures=False).cameras[0]
    skewed = PosedCamera(camera.pose, camera.intrinsics + np.array([[0, 1.0, 0], [0] * 3, [0] * 3]), 48, 64, None)
    assert "no skew" in refused(write_colmap, tmp_path / "m", CameraSet((skewed,)))
    mirrored = PosedCamera(np.diag([1.0, 1, -1, 1]), camera.intrinsics, 48, 64, None)
    assert "mirror" in refused(write_colmap, tmp_path / "m", CameraSet((mirrored,)))
    spaced = CameraSet((PosedCamera(camera.pose, camera.intrinsics, 48, 64, tmp_path / "a b.png"),))
    assert "spaces" in refused(write_colmap, tmp_path / "m", spaced, kind="text")
    write_colmap(tmp_path / "m", spaced)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("SIMPLE_RADIAL", "100 32 24 {}"),
        ("RADIAL", "100 32 24 0 {}"),
        ("OPENCV", "100 100 32 24 0 0 0 {}"),
        ("FULL_OPENCV", "100 100 32 24 0 0 0 0 0 0 0 {}"),
    ],
)
def test_distortion(tmp_path: Path, model: str, parameters: str) -> None:
    images = "1 1 0 0 0 0 0 0 1 a.png\n\n"
    for k, fine in (("0", True), ("-1e-9", True), ("1e-3", False), ("-0.1", False)):
        folder = text_model(tmp_path, f"1 {model} 64 48 {parameters.format(k)}\n", images, "")
        if fine:
            expected = [[100, 0, 32], [0, 100, 24], [0, 0, 1]]
            np.testing.assert_array_equal(read_colmap(folder).cameras[0].intrinsics, expected)
        else:
            assert "image_undistorter" in refused(read_colmap, folder)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"cameras": "1 OPENCV_FISHEYE 64 48 1 1 1 1 0 0 0 0\n"},
            "line 1: camera model OPENCV_FISHEYE is not a",
        ),
        ({"cameras": "3 PINHOLE 64 48 100 90 32\n"}, "line 1: PINHOLE needs fx fy cx cy"),
        ({"cameras": "3 PINHOLE\n"}, "line 1: a camera needs"),
        ({"cameras": "-3 PINHOLE 64 48 100 90 32 24\n"}, "'-3' must be a whole number"),
        ({"cameras": CAMERAS.replace("100", "nan")}, "line 2: numbers must be finite"),
        ({"cameras": CAMERAS.replace("100", "x")}, "line 2: 'x' is not a number"),
        ({"cameras": CAMERAS.replace("100", "-100")}, "focal lengths must be positive"),
        ({"cameras": CAMERAS.replace("64 48", "0 48")}, "48x0 (height x width) is no picture's size"),
        ({"cameras": CAMERAS + CAMERAS}, "3 comes twice"),
        ({"cameras": ""}, "its camera, 7, is not among the cameras"),
        ({"images": ""}, "holds no frames"),
        ({"images": "5 1 0 0 0 0 0 5 3\n"}, "an image needs IMAGE_ID"),
        ({"images": IMAGES + IMAGES}, "5 comes twice"),
        ({"images": IMAGES.replace("6 1 0", "6 2 0")}, "image 'a.png': the quaternion must have length 1"),
        ({"images": IMAGES.replace("24 9", "24")}, "X Y POINT3D_ID"),
        ({"images": IMAGES.replace("24 9", "24 8")}, "'b.png' shows points that are not among the points"),
        ({"points": ""}, "'b.png' shows points that are not among the points"),
        ({"points": POINTS.replace("255", "256")}, "line 1: '256' must be a whole number from 0 to 255"),
        ({"points": "9 0 0 0\n"}, "a point needs"),
        ({"points": POINTS + POINTS}, "two points have one number"),
    ],
)
def test_damaged_text(tmp_path: Path, changed: dict[str, str], message: str) -> None:
    assert message in refused(read_colmap, text_model(tmp_path, **changed))


def test_a_missing_file(tmp_path: Path) -> None:
    folder = text_model(tmp_path)
    (folder / "points3D.txt").unlink()
    assert "points3D.txt: no such file" in refused(read_colmap, folder)


def test_counts_are_checked_before_memory_is_taken(tmp_path: Path) -> None:
    for name in ("cameras", "images", "points3D"):
        folder = binary_model(tmp_path / name)
        file = folder / f"{name}.bin"
        content = file.read_bytes()
        file.write_bytes(struct.pack("<Q", 2**60) + content[8:])
        assert "too short for" in refused(read_colmap, folder)
        file.write_bytes(content + b"\0")
        assert "more bytes than records" in refused(read_colmap, folder)
        file.write_bytes(content[:-1])
        assert "the file" in refused(read_colmap, folder)


@pytest.mark.parametrize("make", [text_model, binary_model])
@settings(max_examples=150, deadline=None)
@given(which=st.sampled_from(["cameras", "images", "points3D"]), changes=CHANGES, keep=KEEP)
def test_damaged_bytes_give_cameras_or_an_input_error(tmp_path_factory, make, which, changes, keep) -> None:
    folder = make(tmp_path_factory.getbasetemp() / make.__name__)
    file = next(folder.glob(f"{which}.*"))
    file.write_bytes(damaged(file.read_bytes(), changes, keep))
    try:
        scene = read_colmap(folder)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(scene.poses).all()
