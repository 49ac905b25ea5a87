"""Layouts of photos and videos without cameras, as their folders are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media.splits import open_split
from nvs_jax.media.unposed_splits import Unposed


def frames(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True)
    for index in range(count):
        Image.new("RGB", (16, 12)).save(folder / f"{index:05}.jpg")
    return folder


def opened(layout: str, data: Path, subset: str = "val") -> dict[str, Unposed]:
    samples = {name: read() for name, read in open_split(layout, data, 1, 1, subset).items()}
    return {name: sample for name, sample in samples.items() if isinstance(sample, Unposed)}


def test_the_papers_folder_holds_photos_and_videos_with_depth_beside(tmp_path: Path) -> None:
    photo, clip = tmp_path / "palace.JPG", tmp_path / "street.mp4"
    Image.new("RGB", (16, 12)).save(photo)
    clip.write_bytes(b"")
    train = frames(tmp_path / "train")
    (tmp_path / "notes.txt").write_text("none of ours")
    (tmp_path / "empty").mkdir()
    Image.new("RGB", (16, 12)).save(tmp_path / "._palace.png")
    depth = tmp_path / "depth"
    depth.mkdir()
    np.save(depth / "palace.npy", np.ones((12, 16), np.float32))
    (depth / "street.npz").write_bytes(b"")
    Image.new("L", (16, 12)).save(depth / "train.png")  # of a photo: of a video it would be a folder
    assert opened("paper", tmp_path) == {
        "palace": Unposed("palace", photo, is_video=False, depth=depth / "palace.npy"),
        "street": Unposed("street", clip, is_video=True, depth=depth / "street.npz"),
        "train": Unposed("train", train, is_video=True, depth=None),
    }
    maps = frames(depth / "train")
    assert opened("paper", tmp_path)["train"].depth == maps
    frames(tmp_path / "palace")
    with pytest.raises(InputError, match="two scenes called palace"):
        opened("paper", tmp_path)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("2017/val.txt", "{}"),
        ("2016/val.txt", "/JPEGImages/480p/{0}/00000.jpg /Annotations/480p/{0}/00000.png"),
        ("480p/val.txt", "/JPEGImages/480p/{0}/00000.jpg /Annotations/480p/{0}/00000.png"),
    ],
)
def test_davis_lists_of_every_year(tmp_path: Path, file: str, line: str) -> None:
    for name in ("bear", "camel", "dog"):
        frames(tmp_path / "JPEGImages" / "480p" / name)
    listed = tmp_path / "ImageSets" / file
    listed.parent.mkdir(parents=True)
    listed.write_text("\n".join(line.format(name) for name in ("dog", "camel", "camel")) + "\n")
    found = opened("davis", tmp_path)
    assert list(found) == ["camel", "dog"]
    assert found["dog"] == Unposed("dog", tmp_path / "JPEGImages" / "480p" / "dog", is_video=True, depth=None)
    listed.write_text(line.format("swan"))
    with pytest.raises(InputError, match=r"no video swan, which the list of val names; published: davischallenge"):
        opened("davis", tmp_path)
    for wrong in ("../bear", "/", "."):
        listed.write_text(wrong)
        with pytest.raises(InputError, match="is no name of a video"):
            opened("davis", tmp_path)


def test_davis_without_a_list_takes_all_and_says_so(tmp_path: Path, capsys) -> None:
    for name in ("bear", "camel"):
        frames(tmp_path / "JPEGImages" / "Full-Resolution" / name)
    assert list(opened("davis", tmp_path)) == ["bear", "camel"]
    assert "all 2 videos" in (said := capsys.readouterr().err) and "has no val.txt" in said
    assert list(opened("davis", tmp_path, "all")) == ["bear", "camel"]
    assert "has no" not in capsys.readouterr().err
