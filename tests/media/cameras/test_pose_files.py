import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import files, read_pose_file, read_poses, write_poses, write_tum
from tests.media.cameras.scenes import CHANGES, KEEP, SEEDS, damaged, random_pose, refused

POSE = [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
OPENGL = [[1, 0, 0, -1], [0, -1, 0, -2], [0, 0, -1, -3], [0, 0, 0, 1]]  # POSE as camera-to-world


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps({"world_to_camera": [POSE, POSE]})),
        ("a.json", json.dumps([POSE, POSE[:3]])),
        ("a.txt", "# two frames\n1 0 0 1 0 1 0 2 0 0 1 3 0 0 0 1\n\n1 0 0 1 0 1 0 2 0 0 1 3 0 0 0 1\n"),
        ("a.TXT", "0.5 -1 -2 -3 0 0 0 1\n1.5 -1 -2 -3 0 0 0 1\n"),  # TUM: where the camera stands
        ("a.json", json.dumps({"frames": [{"file_path": "a.png", "transform_matrix": OPENGL}] * 2})),
    ],
)
def test_by_hand(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    np.testing.assert_array_equal(read_poses(tmp_path / name), [POSE, POSE])


@pytest.mark.parametrize(
    ("name", "content", "convention"),
    [
        ("a.json", json.dumps({"world_to_camera": [POSE]}), ""),
        ("a.json", json.dumps([POSE]), "world-to-camera matrices"),
        ("a.json", json.dumps({"frames": [{"transform_matrix": POSE}]}), "a transforms.json: camera-to-world"),
        ("a.txt", "1 0 0 1 0 1 0 2 0 0 1 3 0 0 0 1\n", "world-to-camera matrices"),
    ],
)
def test_what_is_assumed_is_named(tmp_path: Path, name: str, content: str, convention: str) -> None:
    (tmp_path / name).write_text(content)
    held = read_pose_file(tmp_path / name).convention
    assert held.startswith(convention) and bool(held) == bool(convention)


@pytest.mark.parametrize("suffix", [".json", ".txt"])
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, suffix: str, seed: int) -> None:
    path = tmp_path_factory.getbasetemp() / f"poses{suffix}"
    poses = np.stack([random_pose(seed + index) for index in range(4)])
    write_poses(path, poses)
    np.testing.assert_array_equal(read_poses(path), poses)
    if suffix == ".txt":
        write_tum(path, poses)
        np.testing.assert_allclose(read_poses(path), poses, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", "", "must be .json or .txt"),
        ("a.npy", "", "LLFF's poses_bounds.npy"),
        ("a.json", '{"camera_path": []}', "the axes of 'camera_path' are not known"),
        ("a.json", '{"frames": [3]}', "frame 0: transform_matrix must be 4 lists of 4 numbers"),
        ("a.json", "{}", "named 'world_to_camera'"),
        ("a.json", "[]", "holds no frames"),
        ("a.json", json.dumps([POSE, POSE[:2]]), "frame 1 must be 4 lists of 4 numbers"),
        ("a.json", json.dumps([POSE, np.diag([1, 1, -1, 1]).tolist()]), "frame 1: the rotation is a mirror image"),
        ("a.json", '{"world_to_camera": [[[NaN, 0, 0, 0]]]}', "frame 0 must be 4 lists"),
        ("a.json", json.dumps([np.array(POSE).T.tolist()]), "transposed"),
        ("a.txt", "", "holds no frames"),
        ("a.txt", "1 0 0 0 1 0 0 0 1\n", "line 1: 9 numbers"),
        ("a.txt", "1 0 0 0 0 2 0 0 0 0 1 0\n", "line 1: the rotation's rows"),
        ("a.txt", "1 0 0 0 0 1 0 0 0 0 1 x\n", "'x' is not a number"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    assert message in refused(read_poses, tmp_path / name)


def test_missing_and_huge_files(tmp_path: Path) -> None:
    assert "no such file" in refused(read_poses, tmp_path / "a.txt")
    with (tmp_path / "a.txt").open("wb") as stream:
        stream.truncate(files.MAX_TEXT_BYTES + 1)  # sparse: takes no room
    assert "larger than 64 MiB" in refused(read_poses, tmp_path / "a.txt")
    (tmp_path / "b.json").write_text("[" + ",".join(["0"] * (files.MAX_POSES + 1)) + "]")
    assert "100001 frames are more than" in refused(read_poses, tmp_path / "b.json")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    poses = np.array([POSE], float)
    assert "must be .json or .txt" in refused(write_poses, tmp_path / "a.npy", poses)
    assert "no frames" in refused(write_poses, tmp_path / "a.json", poses[:0])
    assert "pose 0: the pose holds values" in refused(write_poses, tmp_path / "a.json", poses * np.nan)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".json", ".txt"])
@settings(max_examples=100, deadline=None)
@given(changes=CHANGES, keep=KEEP, frames=st.integers(1, 3))
def test_damaged_bytes_give_poses_or_an_input_error(tmp_path_factory, suffix, changes, keep, frames) -> None:
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    write_poses(path, np.array([POSE] * frames, float))
    path.write_bytes(damaged(path.read_bytes(), changes, keep))
    try:
        poses = read_poses(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(poses).all()
