"""`nvs-jax benchmark` on procedural scenes in SEVA's layout."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from nvs_jax.cli import main
from nvs_jax.evaluation.field.kept_frames import kept_video
from nvs_jax.geometry import orbit
from nvs_jax.media import read_photo
from nvs_jax.media.cameras import CameraSet, PosedCamera, write_transforms
from nvs_jax.media.cameras.views import to_corner
from nvs_jax.scenes import default_view, random_scene, render_path
from tests.models.lpips.files import write_lpips

HEIGHT, WIDTH, VIEWS = 96, 128, 6


def seva_scene(folder: Path, seed: int) -> None:
    """Views of a procedural scene as SEVA has them, and depth that the file names."""
    _, K = default_view(HEIGHT, WIDTH)
    poses = orbit(4.0, 4.0, step_degrees=4.0, frames=VIEWS)
    view = render_path(random_scene(seed), jnp.asarray(poses), K, HEIGHT, WIDTH, samples=2)
    (folder / "images").mkdir(parents=True)
    cameras = []
    for index, (picture, depth, pose) in enumerate(
        zip(*map(np.asarray, (view.picture, view.depth, poses)), strict=True)
    ):
        file = folder / "images" / f"{index}.png"
        Image.fromarray((picture * 255).round().astype(np.uint8)).save(file)
        np.save(folder / "images" / f"{index}.npy", depth)
        lens = to_corner(np.asarray(K, np.float64))
        cameras.append(PosedCamera(np.asarray(pose, np.float64), lens, HEIGHT, WIDTH, file, file.with_suffix(".npy")))
    write_transforms(folder / "transforms.json", CameraSet(tuple(cameras)))
    split = {"train_ids": [0], "test_ids": list(range(1, VIEWS))}
    (folder / "train_test_split_1.json").write_text(json.dumps(split))


def command(data: Path, out: Path, *more: str) -> list[str]:
    size = ("--picture.size", str(HEIGHT), str(WIDTH), "--path.frames", "8", "--schedule.steps", "5")
    scores = ("--lpips", str(data.parent / "lpips.safetensors"), "--keep-frames")
    return ["benchmark", "seva", "--data", str(data), "--weights", "demo", "--out", str(out), *size, *scores, *more]


def results(*files: Path) -> dict[str, dict]:
    lines = [json.loads(text) for file in files for text in file.read_text().splitlines()]
    return {line["key"]: line["scores"] for line in lines}


@pytest.mark.full
def test_a_benchmark_is_killed_goes_on_and_is_shared(tmp_path: Path, capsys) -> None:
    for seed in (40_000, 40_001, 40_002):
        seva_scene(tmp_path / "data" / str(seed), seed)
    data, out = tmp_path / "data", tmp_path / "out"
    write_lpips(tmp_path / "lpips.safetensors")
    process = subprocess.Popen([sys.executable, "-m", "nvs_jax", *command(data, out)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 600
    while not ((out / "results.jsonl").exists() and len((out / "results.jsonl").read_text().splitlines()) >= 5):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = (out / "results.jsonl").read_bytes()
    main(command(data, out))
    assert (out / "results.jsonl").read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    text = (out / "report.md").read_text()
    assert "3 scenes, 15 pictures" in text and (out / "pictures" / "40000.png").is_file()
    found = results(out / "results.jsonl")
    assert len(found) == 12
    assert "LPIPS with AlexNet" in text
    for line in map(json.loads, (out / "results.jsonl").read_text().splitlines()):
        kept = (kept_video(out / "frames", row, line["scene"], 0) for row in (line["variant"], "true"))
        made, true = (np.stack([read_photo(file) for file in video.pictures]) for video in kept)
        squares = np.mean((made - true) ** 2, axis=(1, 2, 3))
        # Kept frames are bytes: 0.1 dB where the error is as small as the VAE's.
        assert line["scores"]["psnr"] == pytest.approx(list(-10 * np.log10(squares)), abs=0.1)
    psnr = {
        variant: np.mean(
            [
                line["scores"]["psnr"]
                for line in map(json.loads, (out / "results.jsonl").read_text().splitlines())
                if line["variant"] == variant
            ]
        )
        for variant in ("guided", "filled warp", "model alone", "truth through the VAE")
    }
    # The warp has true depth: it beats a model that is told nothing, and the codec's own loss is the least of all.
    assert psnr["truth through the VAE"] > psnr["guided"] > psnr["model alone"]
    assert psnr["filled warp"] > psnr["model alone"]
    shared = tmp_path / "shared"
    main(command(data, shared, "--shard", "1", "2"))
    assert "2 of 3 scenes are not measured yet" in capsys.readouterr().out
    main(command(data, shared, "--shard", "0", "2"))
    assert results(*shared.glob("results-*.jsonl")) == found
    assert (shared / "report.md").read_text().splitlines()[0] == text.splitlines()[0]
