"""Scenes and camera paths with damaged or invented files, through `nvs-jax views` and `nvs-jax warp`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvs_jax.media.cameras import CameraSet, PosedCamera, write_colmap, write_poses, write_transforms
from nvs_jax.media.cameras.rotations import pose_matrix
from tests.fuzz.command import CHANGES, KEEP, damaged, fuzz, outcome
from tests.media.cameras.scenes import picture_file

SIDE = 64
HOSTILE = ["nan", "inf", "-1e400", "1e30", "0", "-0.5", "", "x", "[]", "{}", "null", "true", "1" + "0" * 400, '"1"']


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The same two cameras as nerfstudio, COLMAP (binary and text), Tanks and Temples and plain poses write them."""
    folder = tmp_path_factory.mktemp("cameras")
    K = np.array([[60.0, 0, 32], [0, 60, 32], [0, 0, 1]])
    for name in ("transforms", "binary", "text", "tanks"):
        for index in (1, 2):
            picture_file(folder / name / "images" / f"{index:06d}.png", SIDE, SIDE)
    cameras = CameraSet(
        tuple(
            PosedCamera(pose_matrix(np.eye(3), np.array([x, 0, 4.0])), K, SIDE, SIDE, Path(f"{index:06d}.png"))
            for index, x in ((1, 0.0), (2, 0.2))
        ),
        np.array([[0.0, 0, 0], [1, 0, 0]]),
    )
    here = [
        PosedCamera(camera.pose, K, SIDE, SIDE, folder / "transforms" / "images" / camera.picture.name)
        for camera in cameras.cameras
        if camera.picture
    ]
    write_transforms(folder / "transforms" / "transforms.json", CameraSet(tuple(here), cameras.points))
    for kind in ("binary", "text"):
        write_colmap(folder / kind / "sparse" / "0", cameras, kind=kind)
    tanks = folder / "tanks"
    for file in (tanks / "images").iterdir():
        file.rename(tanks / file.name)
    poses = cameras.poses
    for name, values in (("Rs", poses[:, :3, :3]), ("ts", poses[:, :3, 3]), ("Ks", np.stack([K, K]))):
        np.save(tanks / f"{name}.npy", values)
    write_poses(folder / "path.json", poses)
    write_poses(folder / "path.txt", poses)
    (folder / "depth").mkdir()
    for index in (1, 2):
        np.save(folder / "depth" / f"{index:06d}.npy", np.full((SIDE, SIDE), 4, np.float32))
    return folder


FILES = {
    "transforms": ["transforms.json", "sparse_pc.ply"],
    "binary": [f"sparse/0/{name}.bin" for name in ("cameras", "images", "points3D")],
    "text": [f"sparse/0/{name}.txt" for name in ("cameras", "images", "points3D")],
    "tanks": ["Rs.npy", "ts.npy", "Ks.npy"],
}
POINTS = ("sparse_pc.ply", "points3D.bin", "points3D.txt")
SCENE_FILES = [f"{scene}/{name}" for scene, names in FILES.items() for name in names]


def read(folder: Path, name: str) -> str:
    """What the command says of the file `name` of a scene, or of a path."""
    sizes = ["--path.frames", "2", "--picture.size", str(SIDE), str(SIDE), "--out", str(folder / "out")]
    if "/" in name:
        kind = "disparity" if name.rpartition("/")[2] in POINTS else "depth"  # points are read to fit disparity to them
        depth = ["--depth", str(folder / "depth"), "--depth-kind", kind]
        arguments = ["views", str(folder / name.split("/")[0]), "--preview", *depth, *sizes]
    else:
        photo, depth = folder / "tanks" / "000001.png", folder / "depth" / "000001.npy"
        path = ["--path.kind", "file", "--path.file", str(folder / name)]
        arguments = ["warp", str(photo), "--depth", str(depth), "--depth-kind", "depth", *path, *sizes]
    refusal = outcome(arguments, folder / "out")
    shutil.rmtree(folder / "out", ignore_errors=True)
    return refusal


def read_with(folder: Path, name: str, content: bytes) -> str:
    """`read` with another content of the file, which comes back."""
    sound = (folder / name).read_bytes()
    (folder / name).write_bytes(content)
    try:
        return read(folder, name)
    finally:
        (folder / name).write_bytes(sound)


@pytest.mark.parametrize("name", ["transforms/", "binary/", "text/", "path.json", "path.txt"])
def test_sound_files_are_taken(folder, name):
    assert read(folder, name) == ""


@fuzz(40)
@given(name=st.sampled_from([*SCENE_FILES, "path.json", "path.txt"]), changes=CHANGES, keep=KEEP)
def test_damaged_files(folder, name, changes, keep):
    read_with(folder, name, damaged((folder / name).read_bytes(), changes, keep))


@fuzz(30)
@given(
    name=st.sampled_from([name for name in SCENE_FILES if name.endswith("txt")] + ["path.txt"]),
    place=st.floats(0, 1, exclude_max=True),
    word=st.sampled_from(HOSTILE),
)
def test_other_words_in_text_files(folder, name, place, word):
    words = (folder / name).read_text().split(" ")
    words[int(place * len(words))] = word
    read_with(folder, name, " ".join(words).encode())


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(10**400),
    lambda node: st.lists(node, max_size=4) | st.dictionaries(st.text(max_size=3), node, max_size=3),
    max_leaves=8,
)


@fuzz(30)
@given(name=st.sampled_from(["transforms/transforms.json", "path.json"]), data=st.data())
def test_other_values_in_json_files(folder, name, data):
    content = json.loads((folder / name).read_text())
    place = content
    for _ in range(data.draw(st.integers(0, 4))):
        inside = [key for key in (place if isinstance(place, dict) else range(len(place)))]
        inside = [key for key in inside if isinstance(place[key], dict | list) and place[key]]
        place = place[data.draw(st.sampled_from(inside))] if inside else place
    keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
    place[data.draw(st.sampled_from(keys))] = data.draw(TREES)
    read_with(folder, name, json.dumps(content).encode())


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"1" * 10_000, b"\xff\xfe", b"{}", b"[]", b'{"frames": [{}]}']
)
@pytest.mark.parametrize("name", [*SCENE_FILES, "path.json", "path.txt"])
def test_other_contents(folder, name, content):
    assert read_with(folder, name, content)
