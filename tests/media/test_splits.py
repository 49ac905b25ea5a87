"""Layouts of the field's benchmarks, as their folders are."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import CameraSet, PosedCamera, write_colmap, write_transforms
from nvs_jax.media.splits import Sample, distance_in_front, open_split

H, W, N = 12, 16, 6


def look(x: float, z: float = -4.0) -> np.ndarray:
    """World-to-camera of a camera at (x, 0, z) that looks at the origin."""
    forward = np.array([-x, 0, -z]) / np.hypot(x, z)
    R = np.stack([[forward[2], 0, -forward[0]], [0, 1, 0], forward])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = R, -R @ [x, 0, z]
    return pose


def cameras(folder: Path, K: np.ndarray | None = None) -> tuple[PosedCamera, ...]:
    folder.mkdir(parents=True)
    K = np.array([[14.0, 0, W / 2], [0, 14.0, H / 2], [0, 0, 1]]) if K is None else K
    found = []
    for index in range(N):
        picture = folder / f"{index:03}.png"
        Image.fromarray(np.full((H, W, 3), 30 * index, np.uint8)).save(picture)
        found.append(PosedCamera(look(0.3 * index), K, H, W, picture))
    return tuple(found)


def sample_of(layout: str, data: Path, name: str, inputs: int = 1, targets: int | None = None) -> Sample:
    sample = open_split(layout, data, inputs, targets)[name]()
    assert isinstance(sample, Sample)
    return sample


def seva_scene(folder: Path, split: object) -> Path:
    write_transforms(folder / "transforms.json", CameraSet(cameras(folder / "images")))
    (folder / "train_test_split_1.json").write_text(json.dumps(split))
    return folder


def test_sevas_folders(tmp_path: Path) -> None:
    seva_scene(tmp_path / "tnt-viewcrafter" / "a", {"train_ids": [2], "test_ids": [0, 3, 5]})
    seva_scene(tmp_path / "b", {"train_ids": [0], "test_ids": [1]})
    scenes = open_split("seva", tmp_path, 1, None)
    assert list(scenes) == ["b", "tnt-viewcrafter/a"]
    sample = sample_of("seva", tmp_path, "tnt-viewcrafter/a")
    assert [camera.picture.name for camera in sample.given.cameras if camera.picture] == ["002.png"]
    np.testing.assert_allclose(sample.targets.poses, np.stack([look(0.3 * i) for i in (0, 3, 5)]), atol=1e-12)
    few = sample_of("seva", tmp_path, "tnt-viewcrafter/a", targets=2)
    assert [camera.picture.name for camera in few.targets.cameras if camera.picture] == ["000.png", "005.png"]
    assert distance_in_front((*sample.given.cameras, *sample.targets.cameras), sample.given.cameras[0]) == (
        pytest.approx(np.hypot(0.6, 4.0))
    )


def test_a_scene_that_one_stands_in_has_its_folders_name(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(seva_scene(tmp_path / "a", {"train_ids": [2], "test_ids": [0]}))
    assert list(open_split("seva", Path(), 1, None)) == ["a"]


def test_a_folder_as_seva_writes_it(tmp_path: Path) -> None:
    """Its reader: poses are camera-to-world with OpenGL's axes, ids count the frames in the file's order."""
    scene = tmp_path / "re10k-viewcrafter" / "0a1b"
    seen = cameras(scene / "images")
    order = [3, 0, 5, 1, 4, 2]
    content: dict = {"camera_model": "OPENCV", "w": W, "h": H, "fl_x": 14.0, "fl_y": 14.0, "cx": W / 2, "cy": H / 2}
    content |= dict.fromkeys(("k1", "k2", "p1", "p2"), 0.0)
    content["applied_transform"] = [[1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, -1.0, 0, 0]]  # of nerfstudio: no axes differ
    content["orientation_override"] = "none"
    frames = []
    for index in order:
        camera_to_world = np.linalg.inv(seen[index].pose) @ np.diag([1, -1, -1, 1])
        frames.append({"file_path": f"images/{index:03}.png", "transform_matrix": camera_to_world.tolist()})
    frames.append({"file_path": None, "transform_matrix": np.eye(4).tolist()})  # a view without a picture
    (scene / "transforms.json").write_text(json.dumps(content | {"frames": frames}))
    np.save(scene / "bounds.npy", np.ones((7, 2)))
    for inputs, given in ((1, [1]), (2, [1, 4])):
        split = {"train_ids": given, "test_ids": [5, 0, 3]}
        (scene / f"train_test_split_{inputs}.json").write_text(json.dumps(split))
    sample = sample_of("seva", tmp_path, "re10k-viewcrafter/0a1b", inputs=2)
    names = [
        [camera.picture.stem for camera in part.cameras if camera.picture] for part in (sample.given, sample.targets)
    ]
    assert names == [["000", "004"], ["002", "003", "001"]]
    start = np.linalg.inv(sample.given.poses[0])  # what moves all cameras makes no difference
    expected = [seen[index].pose @ np.linalg.inv(seen[0].pose) for index in (2, 3, 1)]
    np.testing.assert_allclose(sample.targets.poses @ start, expected, atol=1e-12)
    np.testing.assert_allclose(sample.given.cameras[0].intrinsics, seen[0].intrinsics)
    assert len(sample_of("seva", tmp_path, "re10k-viewcrafter/0a1b").given.cameras) == 1
    (scene / "train_test_split_1.json").write_text(json.dumps({"train_ids": [0], "test_ids": [6]}))
    with pytest.raises(InputError, match="frame 6: file_path must name a file"):
        sample_of("seva", tmp_path, "re10k-viewcrafter/0a1b")
    (scene / "transforms.json").unlink()
    with pytest.raises(InputError, match=r"a split and no cameras, .* sorted by their paths"):
        sample_of("seva", tmp_path, "re10k-viewcrafter/0a1b")


@pytest.mark.parametrize(
    "split", [[], {"train_ids": [0]}, {"train_ids": [], "test_ids": [1]}, {"train_ids": [0], "test_ids": ["1"]}]
)
def test_a_split_that_is_none(tmp_path: Path, split: object) -> None:
    seva_scene(tmp_path / "a", split)
    with pytest.raises(InputError, match="must hold train_ids and test_ids"):
        open_split("seva", tmp_path, 1, None)["a"]()


def test_a_frame_that_is_given_is_not_asked_for(tmp_path: Path) -> None:
    seva_scene(tmp_path / "a", {"train_ids": [1], "test_ids": [0, 1]})
    with pytest.raises(InputError, match="frame 1 is given and asked for"):
        open_split("seva", tmp_path, 1, None)["a"]()


def test_realestate10k(tmp_path: Path) -> None:
    seen = cameras(tmp_path / "clip")
    lines = ["https://www.youtube.com/watch?v=none"]
    for index, camera in enumerate(seen):
        assert camera.picture is not None
        camera.picture.rename(tmp_path / "clip" / f"{1000 * index}.png")
        numbers = [14 / W, 14 / H, 0.5, 0.5, 0, 0, *camera.pose[:3].ravel()]
        lines.append(" ".join([str(1000 * index), *map(repr, map(float, numbers))]))
    (tmp_path / "clip.txt").write_text("\n".join(lines))
    sample = sample_of("re10k", tmp_path, "clip", 2, 3)
    assert [len(part.cameras) for part in (sample.given, sample.targets)] == [2, 3]
    np.testing.assert_allclose(sample.given.cameras[0].intrinsics, seen[0].intrinsics)
    np.testing.assert_allclose(sample.targets.poses[-1], seen[-1].pose, atol=1e-12)
    (tmp_path / "clip" / "2000.png").unlink()
    with pytest.raises(InputError, match=r"its frame 2000.png or .jpg is not in .*google"):
        open_split("re10k", tmp_path, 2, 3)["clip"]()


def test_posed_scenes(tmp_path: Path, capsys) -> None:
    write_transforms(tmp_path / "a" / "transforms.json", CameraSet(cameras(tmp_path / "a" / "images")))
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (W, H)).save(tmp_path / "photos" / "x.png")
    assert list(open_split("posed", tmp_path, 2, None)) == ["a"]
    assert "photos and no cameras: it is left out" in capsys.readouterr().err
    sample = sample_of("posed", tmp_path, "a", 2)
    assert [len(part.cameras) for part in (sample.given, sample.targets)] == [2, 4]
    with pytest.raises(InputError, match="6 pictures, of which 6 are given and none is left"):
        open_split("posed", tmp_path, 6, None)["a"]()


def test_tanks_and_temples_as_its_preprocessors_leave_it(tmp_path: Path) -> None:
    """A COLMAP model beside images, and MVSNet's cams."""
    seen = cameras(tmp_path / "Family" / "images")
    write_colmap(tmp_path / "Family" / "sparse" / "0", CameraSet(seen, np.ones((1, 3)), np.ones((1, 3), np.uint8)))
    taken = cameras(tmp_path / "Horse" / "images")
    (tmp_path / "Horse" / "cams").mkdir()
    for camera in taken:
        assert camera.picture is not None
        numbers = [" ".join(map(str, matrix.ravel())) for matrix in (camera.pose, camera.intrinsics)]
        text = f"extrinsic\n{numbers[0]}\n\nintrinsic\n{numbers[1]}\n\n0.5 0.01\n"
        (tmp_path / "Horse" / "cams" / f"{camera.picture.stem}_cam.txt").write_text(text)
    assert list(open_split("posed", tmp_path, 2, None)) == ["Family", "Horse"]
    for name in ("Family", "Horse"):
        sample = sample_of("posed", tmp_path, name, 2, 3)
        np.testing.assert_allclose(sample.given.poses, [look(0.0), look(0.3)], atol=1e-9)
        np.testing.assert_allclose(sample.targets.poses[-1], look(0.3 * (N - 1)), atol=1e-9)
        assert [camera.picture.name for camera in sample.given.cameras if camera.picture] == ["000.png", "001.png"]
    assert sample_of("posed", tmp_path, "Family", 2).given.points is not None


@pytest.mark.parametrize("layout", ["seva", "re10k", "posed", "paper", "davis"])
def test_what_is_missing_and_where_it_is_published(tmp_path: Path, layout) -> None:
    with pytest.raises(InputError, match=r"is not a folder; .* is published: "):
        open_split(layout, tmp_path / "none", 1, None)
    with pytest.raises(InputError, match=r"holds no .*; published: "):
        open_split(layout, tmp_path, 1, None)


def test_cameras_that_look_at_nothing_in_common_say_no_distance() -> None:
    K = np.diag([14.0, 14.0, 1.0])
    along = [
        PosedCamera(np.block([[np.eye(3), np.array([[x], [0], [0.0]])], [np.zeros(3), 1]]), K, H, W, None)
        for x in (0, 1.0)
    ]
    assert distance_in_front(along, along[0]) is None
    ahead = [PosedCamera(look(x), K, H, W, None) for x in (-1.0, 0, 1.0)]
    assert distance_in_front(ahead, ahead[1]) == pytest.approx(4.0)
