"""What `nvs-jax benchmark` measures of kept frames, and its report, on frames that are given rather than rendered."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nvs_jax.commands import benchmark, benchmark_report
from nvs_jax.commands.benchmark_report import write_report
from nvs_jax.commands.benchmark_results import Bench, lpips_name
from nvs_jax.errors import InputError
from nvs_jax.evaluation.field.distances import Distances
from nvs_jax.evaluation.field.samples import VARIANTS
from nvs_jax.evaluation.records import Records
from nvs_jax.media.cameras import CameraSet, PosedCamera
from nvs_jax.media.splits import Sample
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.models.lpips import ALEXNET, Lpips
from nvs_jax.models.lpips.distance import Network
from nvs_jax.models.weights import random_weights
from nvs_jax.runs.stopping import stop_on_signals
from nvs_jax.settings import PictureSettings, RenderSettings
from nvs_jax.settings.benchmark import BenchmarkJob
from tests.media.cameras.rooms import FOCAL, HEIGHT, WIDTH, painted, poses_beside

FRAMES = 5
SCORES = ("psnr", "known_psnr", "hole_psnr", "ssim", "known_ssim", "hole_ssim", "hole_share")
LENSES = np.tile(np.array([[FOCAL, 0, 0], [0, FOCAL, 0], [0, 0, 1]]), (FRAMES, 1, 1))
SCENES = ("corner", "far/corner")


@pytest.fixture(scope="module")
def frames() -> dict[str, np.ndarray]:
    """Of every row: a painted corner, as asked for; of the model alone noise."""
    corner = painted(poses_beside(FRAMES)).astype(np.float32)
    noise = np.random.default_rng(0).uniform(size=(FRAMES, HEIGHT, WIDTH, 3)).astype(np.float32)
    return {variant: noise if variant == "model alone" else corner for variant in VARIANTS}


def bench_of(out: Path, job: BenchmarkJob) -> Bench:
    model: Any = SimpleNamespace(model=SimpleNamespace(lattice=SimpleNamespace(frames=FRAMES, pixels=8)))
    cameras = CameraSet((PosedCamera(np.eye(4), LENSES[0], HEIGHT, WIDTH, None),))
    scenes: Any = dict.fromkeys(SCENES, lambda: Sample("scene", cameras, cameras))
    return Bench(job, model, "weights", scenes, Records(out / "results.jsonl"), out / "frames")


def measured(out: Path, frames: dict[str, np.ndarray], **asked: Any) -> Bench:
    """A benchmark that has measured two scenes, the second one's cameras a tenth the size."""
    bench = bench_of(out, BenchmarkJob(split="seva", data=out, weights="demo", out=out, **asked))
    for scale, scene in zip((1.0, 0.1), SCENES, strict=True):
        poses = poses_beside(FRAMES)
        poses[:, :3, 3] *= scale
        task: Any = SimpleNamespace(truth=frames["guided"], real=frames["guided"], poses=poses, intrinsics=LENSES)
        for variant in bench.variants:
            benchmark._keep_frames(bench, benchmark.Video(scene, variant, 0, 1), frames[variant], task)
            line = {"scene": scene, "variant": variant, "video": 0, "videos": 1, "seconds": 1.0}
            bench.records.append(bench.key(scene, variant, 0), **line, scores=dict.fromkeys(SCORES, [0.5] * FRAMES))
    return bench


def row(text: str, section: str, name: str) -> list[str]:
    lines = text[text.index(f"### {section}") :].splitlines()
    return next(line for line in lines if line.startswith(f"| {name} |")).strip("| ").split(" | ")


def test_cameras_of_every_row_are_found_and_told_by_scene(tmp_path, frames) -> None:
    bench = measured(tmp_path, frames, cameras=True)
    bench = replace(bench, scenes={"corner": bench.scenes["corner"]})
    with stop_on_signals() as stop:
        benchmark._find_cameras(bench, stop)
    write_report(bench, tmp_path)
    text = (tmp_path / "report.md").read_text()
    for name in ("guided", "filled warp", "truth through the VAE"):
        _, ate, _, turned, failed = row(text, "Cameras", name)
        # As for photos of this corner: of a path of length 1.
        assert 0 < float(ate) < 0.01 and float(turned) < 0.5 and failed == "0 of 1"
    assert row(text, "Cameras", "model alone")[1:] == ["-", "-", "-", "1 of 1"]
    assert "### FID" not in text and "### Published, under other protocols" in text
    assert "LPIPS is not measured: --lpips names no weights." in text
    found = bench.kept("guided", "corner", 0).found
    before = found.stat().st_mtime_ns
    with stop_on_signals() as stop:
        benchmark._find_cameras(bench, stop)
    assert found.stat().st_mtime_ns == before


def test_poses_made_elsewhere_take_the_place_of_colmaps(tmp_path, frames, capsys) -> None:
    bench = measured(tmp_path, frames, camera_files=tmp_path / "sfm")
    (tmp_path / "sfm" / "model-alone" / "far-corner").mkdir(parents=True)
    asked = {scene: bench.kept("guided", scene, 0).asked.read_text() for scene in SCENES}
    (tmp_path / "sfm" / "corner.txt").write_text(asked["corner"])
    (tmp_path / "sfm" / "model-alone" / "far-corner" / "0.txt").write_text(asked["far/corner"])
    write_report(bench, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert row(text, "Cameras", "guided")[1:] == ["0.0000"] * 3 + ["0 of 1"]
    assert row(text, "Cameras", "model alone")[1:] == ["0.0000"] * 3 + ["0 of 1"]
    assert row(text, "Cameras", "filled warp")[1:] == ["-"] * 4
    assert "1 of 2 videos of guided have no file of poses and are left out" in capsys.readouterr().err


def test_fid_is_of_the_frames_of_these_scenes_alone(tmp_path, frames, monkeypatch) -> None:
    seen = {}

    def measure(made: list[Path], true: list[Path], weights: Path, *, few: bool) -> Distances:
        seen[made[0].parents[2].name] = made, true
        return Distances(1.0, 0.002, 0.0, len(made), len(true))

    monkeypatch.setattr(benchmark_report, "distances", measure)
    monkeypatch.setattr(benchmark_report, "package_name", lambda: "a package")
    bench = measured(tmp_path, frames, fid=tmp_path / "inception.pth", fid_of_few=True)
    stale = tmp_path / "frames" / "guided" / "another" / "0"  # of a run with more scenes
    stale.mkdir(parents=True)
    (stale / "000.png").write_bytes(b"")
    write_report(bench, tmp_path)
    assert row((tmp_path / "report.md").read_text(), "FID and KID", "guided") == ["guided", "1.00", "2.00 ± 0.00"]
    assert list(seen) == ["guided", "filled-warp", "model-alone", "truth-through-the-VAE"]
    made, true = seen["filled-warp"]
    assert len(made) == len(true) == 2 * FRAMES
    assert {file.parents[1].name for file in made} == {"corner", "far-corner"}
    assert {file.parents[2].name for file in true} == {"true"}


def test_few_pictures_are_refused_before_any_work(tmp_path) -> None:
    bench = bench_of(
        tmp_path, BenchmarkJob(split="seva", data=tmp_path, weights="demo", fid=tmp_path / "inception.pth")
    )
    cameras = CameraSet((PosedCamera(np.eye(4), np.eye(3), 8, 8, None),) * 300)
    scenes = dict.fromkeys("abc", lambda: Sample("scene", cameras, cameras))
    with pytest.raises(InputError, match="900 true pictures are too few for FID and KID"):
        benchmark._check_count(bench, scenes)
    benchmark._check_count(bench, scenes | {"d": scenes["a"]})
    few = replace(bench, job=replace(bench.job, fid_of_few=True))
    benchmark._check_count(few, scenes)
    video = Unposed("scene", tmp_path, True, None)
    videos = dict.fromkeys(map(str, range(1000 // FRAMES)), lambda: video)  # all of which is true, less of it made
    with pytest.raises(InputError, match="800 made pictures are too few"):
        benchmark._check_count(bench, videos)
    photos = dict.fromkeys(videos, lambda: replace(video, is_video=False))
    with pytest.raises(InputError, match="200 true pictures are too few"):
        benchmark._check_count(bench, photos)


def test_what_measures_is_looked_for_before_any_work(tmp_path, monkeypatch) -> None:
    asked: Any = {"split": "seva", "data": tmp_path, "weights": "demo"}
    monkeypatch.setattr(benchmark, "package_name", lambda: "a package")
    with pytest.raises(InputError, match=r"--camera-files .*sfm is no folder"):
        benchmark._check_measures(BenchmarkJob(**asked, camera_files=tmp_path / "sfm"))
    with pytest.raises(InputError, match=r"--fid .*inception\.pth is no file"):
        benchmark._check_measures(BenchmarkJob(**asked, fid=tmp_path / "inception.pth"))
    (tmp_path / "inception.pth").write_bytes(b"")
    benchmark._check_measures(BenchmarkJob(**asked, fid=tmp_path / "inception.pth", camera_files=tmp_path))


def test_options_that_make_no_difference_are_said(tmp_path, capsys) -> None:
    asked: Any = {"data": tmp_path, "weights": "demo"}
    benchmark._say_ignored(BenchmarkJob(**asked, split="seva", lpips=tmp_path, distance=3.0, shorter_side=256))
    benchmark._say_ignored(BenchmarkJob(**asked, split="davis", subset="all"))
    assert capsys.readouterr().err == ""
    benchmark._say_ignored(BenchmarkJob(**asked, split="paper", lpips=tmp_path, distance=3.0, subset="all"))
    assert capsys.readouterr().err.splitlines() == [
        "--lpips, --distance are ignored: paper has neither cameras nor true pictures",
        "--subset is ignored: paper has no lists of videos",
    ]
    sized = RenderSettings(picture=PictureSettings(size=(576, 576)))
    benchmark._say_ignored(BenchmarkJob(**asked, split="seva", shorter_side=256, settings=sized))
    assert "--shorter-side is ignored: --picture.size or the preset" in capsys.readouterr().err


def test_a_result_without_what_is_asked_for_is_measured_again(tmp_path, frames) -> None:
    bench = measured(tmp_path, frames, keep_frames=True)
    assert bench.unmeasured() == []
    weights = random_weights(Network(ALEXNET), 0)
    lpips = Lpips(weights, ALEXNET)
    asked = replace(bench, lpips=lpips)
    assert asked.unmeasured() == list(SCENES)
    for scene in SCENES:
        for variant in VARIANTS:
            key = bench.key(scene, variant, 0)
            line = bench.records.lines[key]
            line |= {"lpips": lpips_name(lpips), "scores": line["scores"] | {"lpips": [0.25] * FRAMES}}
            line["scores"] |= {"known_lpips": [0.25] * FRAMES, "hole_lpips": [None] * FRAMES}
    assert asked.unmeasured() == []
    other = Lpips({name: 2 * values for name, values in weights.items()}, ALEXNET)
    assert replace(bench, lpips=other).unmeasured() == list(SCENES)
    write_report(asked, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert f"LPIPS with {lpips_name(lpips)}." in text and "| LPIPS | LPIPS co-visible | LPIPS in holes |" in text
    record = bench.kept("guided", "corner", 0).folder / "frames.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"key": "of other settings"}))
    assert bench.unmeasured() == ["corner"]
    assert replace(bench, job=replace(bench.job, keep_frames=False)).unmeasured() == []
