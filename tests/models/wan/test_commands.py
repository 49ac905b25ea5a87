"""A tiny Wan, as a user calls it: the same commands as any other model's, on videos of nine frames."""

import json
import os
import signal
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import yaml

import nvs_jax.diffusion.problem
from nvs_jax.cli import main
from nvs_jax.errors import InputError
from nvs_jax.media import read_photo, write_frames
from nvs_jax.media.cameras import CameraSet, PosedCamera, write_transforms
from nvs_jax.models.opened import Opened
from nvs_jax.models.wan import lattice
from nvs_jax.pipeline import Pipeline
from tests.models.wan.tiny import FRAMES, write_tiny_checkpoint
from tests.tiny import HEIGHT, WIDTH, scene, write_scene

SHORT = ("--steps", "3", "--path.radius", "6", "6", "--camera.focal", "0.6")


@pytest.fixture(autouse=True)
def short_legs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it had been trained on as many frames."""
    monkeypatch.setattr(lattice, "WAN_2_1", lattice.WAN_2_1._replace(frames=FRAMES))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("wan") / "checkpoint")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    return write_scene(tmp_path)


def single(folder: Path, weights: Path, *more: str, out: str = "out") -> list[str]:
    files = (str(folder / "photo.png"), "--depth", str(folder / "depth.npy"), "--depth-kind", "depth")
    return ["single", *files, "--weights", str(weights), "--out", str(folder / out), *SHORT, *more]


def frames(out: Path) -> np.ndarray:
    return np.stack([read_photo(path) for path in sorted((out / "frames").iterdir())])


def fails(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    """The last line of a command that a mistake ends."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == code
    return capsys.readouterr().err.splitlines()[-1]


def test_a_photo(inputs: Path, weights: Path, capsys: pytest.CaptureFixture[str]):
    main(single(inputs, weights, "--svd.motion-bucket", "30"))
    made = frames(inputs / "out")
    assert made.shape == (FRAMES, HEIGHT, WIDTH, 3) and made.std() > 0
    said = capsys.readouterr().err
    assert "svd.motion_bucket is ignored: these weights are of the family wan" in said
    assert "schedule.sigma_max, schedule.kind, conditioning.fps, conditioning.guidance_scale" in said
    assert "are as they suit the family wan" in said
    settings = json.loads((inputs / "out" / "run.json").read_text())["job"]["settings"]
    assert (settings["schedule"]["kind"], settings["schedule"]["steps"]) == ("flow", 3)
    assert settings["wan"] == {"prompt": None, "negative_prompt": None}


def test_a_video_in_legs_that_share_a_frame(tmp_path: Path, weights: Path):
    photo, depth = scene()
    length = FRAMES + 3
    write_frames(tmp_path / "clip", np.stack([np.roll(photo, i, axis=1) for i in range(length)]))
    (tmp_path / "depth").mkdir()
    for index in range(length):
        np.save(tmp_path / "depth" / f"{index:03d}.npy", depth)
    files = (str(tmp_path / "clip"), "--depth", str(tmp_path / "depth"), "--depth-kind", "depth")
    main(["video", *files, "--weights", str(weights), "--out", str(tmp_path / "out"), *SHORT])
    assert frames(tmp_path / "out").shape == (length, HEIGHT, WIDTH, 3)


def test_from_view_to_view(tmp_path: Path, weights: Path):
    photo, depth = scene()
    write_frames(tmp_path / "scene" / "images", np.stack([photo] * 2))
    (tmp_path / "depth").mkdir()
    cameras = []
    for index in range(2):
        np.save(tmp_path / "depth" / f"{index:03d}.npy", depth)
        pose, K = np.eye(4), np.array([[20.0, 0, WIDTH / 2], [0, 20.0, HEIGHT / 2], [0, 0, 1]])
        pose[0, 3] = -0.5 * index
        cameras.append(PosedCamera(pose, K, HEIGHT, WIDTH, tmp_path / "scene" / "images" / f"{index:03d}.png"))
    write_transforms(tmp_path / "scene" / "transforms.json", CameraSet(tuple(cameras)))
    given = (str(tmp_path / "scene"), "--depth", str(tmp_path / "depth"), "--weights", str(weights))
    main(["views", *given, "--out", str(tmp_path / "out"), *SHORT])
    assert frames(tmp_path / "out").shape == (FRAMES, HEIGHT, WIDTH, 3)


@pytest.mark.full
def test_a_full_turn(inputs: Path, weights: Path):
    main(single(inputs, weights, "--path.kind", "full-turn", "--steps", "1"))
    made = frames(inputs / "out")
    assert len(made) > 4 * FRAMES and made.shape[1:] == (HEIGHT, WIDTH, 3)


def test_a_batch(inputs: Path, weights: Path):
    files = {"photo": "photo.png", "depth": "depth.npy", "depth_kind": "depth", "weights": str(weights), "steps": 3}
    settings = {"path": {"radius": [6.0, 6.0]}, "camera": {"focal": 0.6}}
    jobs = [{"name": name, "seed": seed} for seed, name in enumerate("ab")]
    (inputs / "jobs.yaml").write_text(yaml.safe_dump({"defaults": {**files, "settings": settings}, "jobs": jobs}))
    main(["batch", str(inputs / "jobs.yaml"), "--out", str(inputs / "out")])
    assert sorted(json.loads((inputs / "out" / "summary.json").read_text())["rendered"]) == ["a", "b"]
    assert (frames(inputs / "out" / "a") != frames(inputs / "out" / "b")).any()


def test_a_run_that_is_stopped_goes_on_to_the_same_bytes(
    inputs: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    main(single(inputs, weights, out="whole"))
    sample, segments = nvs_jax.diffusion.problem.run_steps, []

    def run_steps(*arguments):
        segments.append(1)
        if len(segments) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return sample(*arguments)

    monkeypatch.setattr(nvs_jax.diffusion.problem, "run_steps", run_steps)
    assert "stopped after step 2 of leg 1 of 1" in fails(single(inputs, weights), capsys, code=75)
    other = single(inputs, weights, "--resume", "--negative-prompt", "")
    assert "another wan.negative_prompt" in fails(other, capsys)
    main(single(inputs, weights, "--resume"))
    assert len(segments) == 3
    np.testing.assert_array_equal(frames(inputs / "out"), frames(inputs / "whole"))


@pytest.mark.full
def test_the_benchmark(tmp_path: Path, weights: Path):
    size = ("--quick", "--scenes", "1", "--frames", str(FRAMES), "--size", "24", "32", "--samples", "1")
    main(["evaluate", str(weights), "--out", str(tmp_path / "out"), *size])
    assert "model alone" in (tmp_path / "out" / "report.md").read_text()


@pytest.mark.full
@pytest.mark.parametrize("kind", ["text", "vace", "image"])
def test_random_weights_are_not_sound(kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    made = write_tiny_checkpoint(tmp_path / "checkpoint", kind)
    with pytest.raises(SystemExit) as stop:
        main(["check", str(made), "--size", "24", "32", "--frames", "5"])
    assert stop.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert "5 frames of 24x32, float32" in lines[0] and "NOT SOUND" in lines[-1]
    for part in ("transformer: weights", "prompts: weights", "denoiser, float32: error", "denoiser, bfloat16: error"):
        assert any(part in line for line in lines), part


def test_a_length_that_the_model_cannot_make_is_refused_before_weights_or_pictures_are_read(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(Opened, "load", Mock(side_effect=AssertionError("weights were read")))
    out = ("--out", str(tmp_path / "out"))
    for command in (
        ["single", "missing.png", "--weights", str(weights), *out, "--path.frames", "24"],
        ["single", "missing.png", "--weights", str(weights), *out, "--low-memory", "--path.frames", "24"],
        ["check", str(weights), "--size", "24", "32", "--frames", "24"],
        ["evaluate", str(weights), *out, "--frames", "8"],
    ):
        said = fails(command, capsys)
        assert f"a video of {command[-1]} frames: this model takes 1 more than a multiple of 4" in said, command


MISTAKES = {
    "a prompt that nothing embeds": (
        ["--prompt", "a  red house"],
        "these weights keep no embedding of the prompt 'a red house', and have no text encoder: give the published "
        "folder as --weights, or convert it again with --prompts",
    ),
    "tiles": (["--memory.tile", "128", "128"], "memory.tile: this model's VAE works on whole pictures; leave it out"),
    "a size": (["--picture.size", "20", "32"], "a size of 20x32 does not fit this model: use multiples of 8"),
}


@pytest.mark.parametrize("mistake", ["a prompt that nothing embeds", "tiles"])
def test_what_the_model_cannot_do_is_refused_before_weights_or_pictures_are_read(
    mistake: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(Opened, "load", Mock(side_effect=AssertionError("weights were read")))
    more, said = MISTAKES[mistake]
    out = ("--out", str(tmp_path / "out"))
    assert said in fails(["single", "missing.png", "--weights", str(weights), *out, *more], capsys)


def test_of_many_jobs_one_of_another_length_is_refused(
    inputs: Path, weights: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Pipeline, "render_plan", Mock(side_effect=InputError("enough")))
    files = {"depth": "depth.npy", "depth_kind": "depth", "weights": str(weights)}
    jobs = [
        {"name": "a", "photo": "photo.png"},
        {"name": "b", "photo": "photo.png", "settings": {"path": {"frames": 24}}},
    ]
    (inputs / "jobs.yaml").write_text(yaml.safe_dump({"defaults": files, "jobs": jobs}))
    fails(["batch", str(inputs / "jobs.yaml"), "--out", str(inputs / "out")], capsys, code=1)
    failed = json.loads((inputs / "out" / "summary.json").read_text())["failed"]
    assert "a video of 24 frames" in str(failed["b"])


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_line(mistake: str, inputs: Path, weights: Path, capsys: pytest.CaptureFixture[str]):
    given, message = MISTAKES[mistake]
    assert message in fails(single(inputs, weights, *given), capsys)
    assert not (inputs / "out").exists()
