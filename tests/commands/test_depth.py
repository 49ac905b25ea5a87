"""`nvs-jax depth` as a user calls it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.cli import main
from nvs_jax.disk import RESULT, work_on
from nvs_jax.loading import load_depth
from nvs_jax.media import read_depth, read_photo, write_picture, write_video
from tests.models.depth.folders import config, write_folder


def write_small(folder: Path, **changes) -> Path:
    """A Depth Anything that sees pictures of 42x42."""
    return write_folder(folder, config(**changes), size={"height": 42, "width": 42})


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return write_small(tmp_path_factory.mktemp("weights") / "relative")


@pytest.fixture(scope="module")
def metric(tmp_path_factory) -> Path:
    return write_small(tmp_path_factory.mktemp("weights") / "metric", depth_estimation_type="metric", max_depth=80)


def photo(height: int = 30, width: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8) / np.float32(255)


def run(source: Path, weights: Path, out: Path, *more: str) -> dict:
    main(["depth", str(source), "--weights", str(weights), "--out", str(out), *more])
    return json.loads((out / "run.json").read_text())


def test_a_photo_becomes_numbers_a_picture_and_colours(tmp_path, weights, capsys):
    write_picture(tmp_path / "cat.png", photo())
    record = run(tmp_path / "cat.png", weights, tmp_path / "out")
    assert "1 of disparity (large is near), for --depth with --depth-kind disparity" in capsys.readouterr().out
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")) == [
        *("colours/cat.png", "maps/cat.npy", "png/cat.png", "run.json")
    ]
    values = read_depth(tmp_path / "out" / "maps" / "cat.npy", "disparity")
    np.testing.assert_array_equal(values, load_depth(weights).estimate(photo()[None])[0])
    steps = read_depth(tmp_path / "out" / "png" / "cat.png", "disparity")
    assert steps.max() == 65535
    np.testing.assert_allclose(steps / record["png_scale"], values, atol=0.51 / record["png_scale"])
    shown = read_photo(tmp_path / "out" / "colours" / "cat.png")
    bright = shown.sum(-1)
    assert shown.shape == (30, 40, 3) and bright[values.argmax() // 40, values.argmax() % 40] > bright.mean()
    assert record["kind"] == "disparity" and record["job"]["weights"] == str(weights)


def test_what_a_killed_run_left_is_removed_by_the_next_one(tmp_path, weights):
    write_picture(tmp_path / "cat.png", photo())
    with work_on(tmp_path / "out", RESULT) as work:
        (work.staged / "maps").mkdir(parents=True)
        (work.staged / "maps" / "half.npy").write_text("half")
        shutil.copytree(work.folder, tmp_path / "left")
    (tmp_path / "left").rename(tmp_path / ".out.run")
    run(tmp_path / "cat.png", weights, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cat.png", "out"]
    assert [path.name for path in (tmp_path / "out" / "maps").iterdir()] == ["cat.npy"]


def test_a_turned_photo_is_estimated_upright(tmp_path, weights):
    stored = Image.fromarray(np.round(photo() * 255).astype(np.uint8))
    exif = stored.getexif()
    exif[0x0112] = 6
    stored.save(tmp_path / "turned.png", exif=exif)
    run(tmp_path / "turned.png", weights, tmp_path / "out")
    upright = np.rot90(photo(), -1)
    expected = load_depth(weights).estimate(np.ascontiguousarray(upright)[None])[0]
    np.testing.assert_allclose(np.load(tmp_path / "out" / "maps" / "turned.npy"), expected, rtol=1e-6)


def test_photos_of_several_sizes_keep_their_names(tmp_path, metric, capsys):
    (tmp_path / "in").mkdir()
    sizes = {"a_2": (30, 40), "a_10": (30, 40), "b": (40, 30)}
    for seed, (name, size) in enumerate(sizes.items()):
        write_picture(tmp_path / "in" / f"{name}.png", photo(*size, seed=seed))
    record = run(tmp_path / "in", metric, tmp_path / "out")
    assert "3 of depth in metres (large is far)" in capsys.readouterr().out
    assert record["maps"] == 3 and record["kind"] == "depth"
    for name, size in sizes.items():
        values = np.load(tmp_path / "out" / "maps" / f"{name}.npy")
        assert values.shape == size
        stored = read_depth(tmp_path / "out" / "png" / f"{name}.png", "depth", png_scale=record["png_scale"])
        np.testing.assert_allclose(stored, values, atol=0.51 / record["png_scale"])


def test_a_video_becomes_a_map_a_frame(tmp_path, weights):
    write_video(tmp_path / "clip.mp4", np.stack([photo(seed=seed) for seed in range(3)]))
    run(tmp_path / "clip.mp4", weights, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "maps").iterdir()) == ["000.npy", "001.npy", "002.npy"]


def test_what_goes_wrong_is_one_line_and_writes_nothing(tmp_path, weights, capsys):
    def said(*arguments: str) -> str:
        with pytest.raises(SystemExit) as stop:
            main(["depth", *arguments, "--out", str(tmp_path / "out")])
        line = capsys.readouterr().err
        assert stop.value.code == 2 and line.count("\n") == 1 and not (tmp_path / "out").exists()
        return line

    write_picture(tmp_path / "cat.png", photo())
    (tmp_path / "empty").mkdir()
    (tmp_path / "twice").mkdir()
    for suffix in ("png", "jpg"):
        write_picture(tmp_path / "twice" / f"cat.{suffix}", photo())
    (tmp_path / "text.jpg").write_text("no picture")
    given = ("--weights", str(weights))
    assert "no such file" in said(str(tmp_path / "none.png"), *given)
    assert "not a picture" in said(str(tmp_path / "text.jpg"), *given)
    assert "no pictures in this folder" in said(str(tmp_path / "empty"), *given)
    assert "two pictures are called cat" in said(str(tmp_path / "twice"), *given)
    absent = said(str(tmp_path / "cat.png"), "--weights", str(tmp_path / "none"))
    assert "hub id such as depth-anything/" in absent and "with --depth" in absent
