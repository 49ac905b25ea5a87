"""`nvs-jax benchmark` on photos and videos of which nobody has true pictures."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.cli import main
from nvs_jax.media import read_frames
from tests.tiny import HEIGHT, WIDTH, write_tiny_folder


def recorded(frames: Path, maps: Path, seed: int, count: int, size: tuple[int, int]) -> None:
    """A picture in a light that fades, and its disparity, which grows to the right."""
    picture = np.random.default_rng(seed).uniform(size=(*size, 3))
    disparity = np.tile(np.linspace(1, 3, size[1], dtype=np.float32), (size[0], 1))
    for folder in (frames, maps):
        folder.mkdir(parents=True)
    for index in range(count):
        Image.fromarray((255 * picture * (1 - 0.03 * index)).astype(np.uint8)).save(frames / f"{index:05}.jpg")
        np.save(maps / f"{index:05}.npy", disparity)


def paper_folder(data: Path, count: int, size: tuple[int, int], photos: tuple[int, ...]) -> Path:
    """Photos and a video with disparity beside, as the paper's protocol takes them."""
    recorded(data / "clip", data / "depth" / "clip", 0, count, size)
    for seed in photos:
        recorded(data / "work" / str(seed), data / "work" / f"maps{seed}", seed, 1, size)
        (data / "work" / str(seed) / "00000.jpg").rename(data / f"{seed}.jpg")
        (data / "work" / f"maps{seed}" / "00000.npy").rename(data / "depth" / f"{seed}.npy")
    shutil.rmtree(data / "work")
    return data


def davis_folder(data: Path, count: int, size: tuple[int, int]) -> Path:
    """A video that the list names, one that it does not, and disparity of the first."""
    frames = data / "JPEGImages" / "480p"
    recorded(frames / "bear", data / "depth" / "bear", 0, count, size)
    recorded(frames / "swan", data / "unused", 0, 1, size)
    (data / "ImageSets" / "2017").mkdir(parents=True)
    (data / "ImageSets" / "2017" / "val.txt").write_text("bear\n")
    return data


def is_video(line: dict) -> bool:
    return line["scene"] in ("clip", "bear")


def without_truth(layout: str, data: Path, weights: str, size: tuple[int, int], frames: int) -> list[str]:
    sizes = ("--picture.size", *map(str, size), "--path.frames", str(frames), "--schedule.steps", "2")
    kind = ("--depth-kind", "disparity", "--out", str(data.parent / f"out-{layout}"))
    return ["benchmark", layout, "--data", str(data), "--weights", weights, *sizes, *kind]


@pytest.mark.full
def test_videos_and_photos_without_true_pictures(tmp_path: Path, capsys) -> None:
    """A network of random weights: what is asked for, measured and said."""
    size, frames = (HEIGHT, WIDTH), 4
    weights = str(write_tiny_folder(tmp_path / "weights"))
    data = paper_folder(tmp_path / "data", frames + 1, size, (1,))
    main([*without_truth("paper", data, weights, size, frames), "--keep-frames"])
    said = capsys.readouterr()
    assert "2 scenes, 9 pictures. Layout paper, a photo or a video given" in said.out
    assert "PSNR" not in said.out.split("### Published")[0]
    assert "an orbit of half axes 60 and 70 to either side, videos one of 15 and 30, 1 degrees a frame" in said.out
    assert "Depth is that of files, read as disparity" in said.out
    assert f"the first {frames} of {frames + 1} frames are used" in said.err
    kept = [json.loads(line) for line in (tmp_path / "out-paper" / "results.jsonl").read_text().splitlines()]
    rows = {(line["scene"], line["variant"], line["video"]) for line in kept}
    videos = [("1", 0), ("1", 1), ("clip", 0)]
    assert rows == {(scene, row, video) for scene, video in videos for row in ("guided", "filled warp", "model alone")}
    assert all(list(line["scores"]) == ["hole_share"] for line in kept)
    seen = read_frames(tmp_path / "out-paper" / "frames" / "filled-warp" / "clip" / "0")
    assert seen.shape == (frames - 1, *size, 3)
    main(without_truth("davis", davis_folder(tmp_path / "davis", frames, size), weights, size, frames))
    assert "1 scenes, 3 pictures. Layout davis" in capsys.readouterr().out


@pytest.mark.full
def test_a_benchmark_without_true_pictures_is_killed_and_goes_on(tmp_path: Path, capsys) -> None:
    size, frames = (96, 128), 8
    data = paper_folder(tmp_path / "data", frames + 2, size, (1, 2))
    command, out = without_truth("paper", data, "demo", size, frames), tmp_path / "out-paper"
    kept = out / "results.jsonl"
    process = subprocess.Popen([sys.executable, "-m", "nvs_jax", *command], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 600
    while not (kept.exists() and len(kept.read_text().splitlines()) >= 5):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.2)
    process.kill()
    process.wait()
    before = kept.read_bytes()
    main(command)
    assert kept.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    text = (out / "report.md").read_text()
    assert "3 scenes, 35 pictures" in text and len(kept.read_text().splitlines()) == 15
    assert {path.stem for path in (out / "pictures").iterdir()} == {"1", "2", "clip"}
    capsys.readouterr()
    main(command)  # all is there
    assert (out / "report.md").read_text() == text
    davis = davis_folder(tmp_path / "davis", frames, size)
    main(without_truth("davis", davis, "demo", size, frames))
    shares = [
        {line["variant"]: line["scores"] for line in map(json.loads, file.read_text().splitlines()) if is_video(line)}
        for file in (out / "results.jsonl", tmp_path / "out-davis" / "results.jsonl")
    ]
    assert len(shares[0]) == 3 and shares[0] == shares[1]  # the same video in the other layout
