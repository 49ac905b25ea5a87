from pathlib import Path

import numpy as np
import pytest

from nvs_jax.media.cameras import read_tanks
from tests.media.cameras.scenes import picture_file, random_pose, refused

POSES = np.stack([random_pose(seed) for seed in range(4)])
K = np.array([[300.0, 0, 252], [0, 310, 137], [0, 0, 1]])


def scene(folder: Path, changes: dict[str, np.ndarray] | None = None, pictures: int = 4) -> Path:
    arrays = {"Rs": POSES[:, :3, :3], "ts": POSES[:, :3, 3], "Ks": np.stack([K] * 4)} | (changes or {})
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    for index in range(pictures):
        picture_file(folder / f"{index + 1:06d}.jpg", 27, 50)
    return folder


@pytest.mark.parametrize("translations", [POSES[:, :3, 3], POSES[:, :3, 3:], POSES[:, None, :3, 3]])
def test_world_to_camera_as_stored(tmp_path: Path, translations: np.ndarray) -> None:
    cameras = read_tanks(scene(tmp_path, {"ts": translations}))
    np.testing.assert_array_equal(cameras.poses, POSES)
    first = cameras.cameras[0]
    assert (first.height, first.width, first.picture) == (274, 504, tmp_path / "000001.jpg")
    # The release's K at 576x1024.
    expected = [[300 / 504 * 1024, 0, 512], [0, 310 / 274 * 576, 288], [0, 0, 1]]
    np.testing.assert_allclose(first.resized(576, 1024), expected)


def test_two_pictures_of_a_longer_sequence(tmp_path: Path) -> None:
    (tmp_path / "000002.npy").touch()
    cameras = read_tanks(scene(tmp_path, pictures=2), views=(2, 4))
    np.testing.assert_array_equal(cameras.poses, POSES[[1, 3]])
    assert [camera.depth for camera in cameras.cameras] == [None, tmp_path / "000002.npy"]
    assert "2 pictures for 4 poses; put all pictures there" in refused(read_tanks, tmp_path)
    assert "2 pictures for 1 poses" in refused(read_tanks, tmp_path, views=(1,))
    for views in ((0, 1), (1, 5)):
        assert "counted from 1 to 4" in refused(read_tanks, tmp_path, views=views)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Rs": POSES}, "Rs.npy: must be numbers of shape [N, 3, 3], not (4, 4, 4)"),
        ({"ts": np.zeros((4, 4))}, "ts.npy: must be numbers of shape [N, 3], not (4, 4)"),
        ({"ts": np.zeros((3, 3))}, "hold [4, 3, 4] entries"),
        ({"Rs": 2 * POSES[:, :3, :3]}, "pose 1: the rotation's rows"),
        ({"ts": POSES[:, :3, 3] * np.nan}, "pose 1: the pose holds values that are not finite"),
        ({"Ks": np.stack([np.eye(3) * np.nan] * 4)}, "pose 1: intrinsics must be"),
        ({"Ks": np.zeros((4, 3, 3), complex)}, "must be numbers"),
        ({"Ks": np.full((4, 3, 3), None, object)}, "not an array in numpy's format"),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, np.ndarray], message: str) -> None:
    assert message in refused(read_tanks, scene(tmp_path, changes))


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "Rs.npy: no such file" in refused(read_tanks, tmp_path)
    scene(tmp_path)
    whole = (tmp_path / "Rs.npy").read_bytes()
    for content in (b"", b"PK\x03\x04", whole[:100], whole[:-1], whole.replace(b"(4, 3, 3)", b"(9, 3, 3)")):
        (tmp_path / "Rs.npy").write_bytes(content)
        assert "not an array in numpy's format" in refused(read_tanks, tmp_path)
    with (tmp_path / "Rs.npy").open("wb") as stream:
        stream.truncate(2**24)  # sparse: takes no room
    assert "larger than 100000 poses" in refused(read_tanks, tmp_path)
