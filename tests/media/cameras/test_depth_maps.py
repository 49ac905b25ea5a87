from pathlib import Path

import pytest

from nvs_jax.media.cameras import find_depth_maps
from tests.media.cameras.scenes import refused

RIG = ["left/0001.png", "right/0001.png"]


def folder_of(base: Path, *names: str) -> Path:
    for name in names:
        (base / "maps" / name).parent.mkdir(parents=True, exist_ok=True)
        (base / "maps" / name).touch()
    return base / "maps"


@pytest.mark.parametrize(
    ("maps", "pictures", "expected"),
    [
        (["a.npy", "b.png"], ["a.jpg", "b.jpg"], ["a.npy", "b.png"]),
        (["a.npy"], ["images/deep/a.jpg"], ["a.npy"]),
        (["deep/down/a.npy"], ["a.jpg"], ["deep/down/a.npy"]),
        (["left/0001.npy", "right/0001.npy"], RIG, ["left/0001.npy", "right/0001.npy"]),
        (["left/0001.npy", "right/0001.npy"], [f"images/{name}" for name in RIG], ["left/0001.npy", "right/0001.npy"]),
        (["0001.npy", "old/0001.npy"], ["0001.png"], ["0001.npy"]),
        (["a.jpg.photometric.bin", "a.jpg.geometric.bin"], ["a.jpg"], ["a.jpg.geometric.bin"]),
        (["left/0001.png.geometric.bin", "right/0001.png.photometric.bin"], RIG, None),
        (["a.png", "a.npy"], ["a.jpg"], ["a.npy"]),
        (["a.1.npy", "a.npy"], ["a.1.jpg"], ["a.1.npy"]),
        ([".a.npy", "._a.npy", "a.npy", "a.txt"], ["a.jpg"], ["a.npy"]),
        (["left/0001.npy"], [r"left\0001.png"], ["left/0001.npy"]),
    ],
)
def test_a_picture_finds_its_map(tmp_path: Path, maps, pictures, expected) -> None:
    folder = folder_of(tmp_path, *maps)
    found = [path.relative_to(folder).as_posix() for path in find_depth_maps(folder, pictures)]
    assert found == (maps if expected is None else expected)


@pytest.mark.parametrize(
    ("maps", "pictures", "others", "message"),
    [
        (["0001.npy"], RIG, [], "0001.npy may be of left/0001 or of right/0001: give each picture a depth map"),
        (["0001.npy"], RIG[:1], RIG, "0001.npy may be of left/0001 or of right/0001"),
        (["left/0001.npy"], RIG[1:], RIG, "left/0001.npy may be of right/0001 or of left/0001"),
        (
            ["x/0001.npy", "y/0001.npy"],
            RIG[:1],
            [],
            "holds x/0001.npy and y/0001.npy; put the depth map of left/0001.png",
        ),
        (["b.npy"], ["a.png"], [], "holds no depth map named a, as the picture is"),
    ],
)
def test_what_is_not_clear_is_refused(tmp_path: Path, maps, pictures, others, message) -> None:
    assert message in refused(find_depth_maps, folder_of(tmp_path, *maps), pictures, others)


def test_no_folder(tmp_path: Path) -> None:
    assert "maps is not a folder of depth maps" in refused(find_depth_maps, tmp_path / "maps", ["a.png"])
