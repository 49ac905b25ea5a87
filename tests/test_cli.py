"""The command as a user calls it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from nvs_jax.cli import main
from nvs_jax.media import read_photo, write_frames, write_picture, write_video
from nvs_jax.media.cameras import CameraSet, PosedCamera, read_cameras, read_colmap, read_poses, write_transforms
from nvs_jax.models.opened import Opened
from tests.media.clips import facts
from tests.tiny import FRAMES, HEIGHT, WIDTH, scene, write_scene, write_tiny_folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_tiny_folder(tmp_path_factory.mktemp("svd"))


@pytest.fixture(scope="module")
def weights_of_four_frames(tmp_path_factory):
    """The same, but for a model of videos of four frames."""
    return write_tiny_folder(tmp_path_factory.mktemp("short"), frames=FRAMES)


@pytest.fixture
def inputs(tmp_path):
    return write_scene(tmp_path)


def single(folder: Path, weights: Path, *more: str, depth: str = "depth.npy", photo: str = "photo.png") -> list[str]:
    out = str(folder / "out")
    return [
        *("single", str(folder / photo), "--depth", str(folder / depth), "--depth-kind", "depth"),
        *("--weights", str(weights), "--out", out, "--path.radius", "6", "6", "--path.step-degrees", "4"),
        *("--path.frames", str(FRAMES), "--camera.focal", "0.6", "--steps", "2", *more),
    ]


def test_single_writes_all_that_a_user_wants(inputs, weights, capsys):
    main(single(inputs, weights, "--seed", "4"))
    out = inputs / "out"
    assert {path.name for path in out.iterdir()} == {
        *("video.mp4", "frames", "warps", "holes", "warps.gif", "warps.png", "weights.png", "run.json"),
        *("transforms.json", "colmap", "trajectory.txt", "poses.json", "points.ply", "sparse_pc.ply"),
    }
    assert len(list((out / "frames").iterdir())) == FRAMES
    assert facts(out / "video.mp4").frames.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert read_photo(out / "holes" / "000.png").max() == 0
    record = json.loads((out / "run.json").read_text())
    assert record["job"]["seed"] == 4
    assert record["job"]["settings"]["schedule"]["steps"] == 2
    assert len(read_poses(out / "poses.json")) == FRAMES
    assert [camera.picture for camera in read_cameras(out).cameras] == sorted((out / "frames").iterdir())
    assert len(read_colmap(out / "colmap").cameras) == FRAMES
    middle = [WIDTH / 2, HEIGHT / 2]  # files count from the picture's corner
    np.testing.assert_allclose(read_cameras(out).cameras[0].intrinsics[:2, 2], middle)
    assert set(record["seconds"]) == {"warp", "encode", "sample", "decode"}
    # Both branches of four frames of 12x16 latent cells.
    assert record["attention"]["192x192, 1x32, float32, in batches of 8"] == "xla"
    said = capsys.readouterr()
    assert "depth.npy is read as depth" in said.err
    assert "2/2" not in said.err  # bars are for terminals
    assert "video.mp4" in said.out


def test_the_same_seed_gives_the_same_pictures(inputs, weights):
    main(single(inputs, weights))
    first = read_photo(inputs / "out" / "frames" / "003.png")
    main(single(inputs, weights, "--overwrite"))
    np.testing.assert_array_equal(read_photo(inputs / "out" / "frames" / "003.png"), first)


@pytest.mark.full
def test_a_converted_checkpoint_gives_the_same_video(inputs, weights):
    main(single(inputs, weights))
    first = read_photo(inputs / "out" / "frames" / "002.png")
    main(["convert", str(weights), str(inputs / "checkpoint")])
    main(single(inputs, inputs / "checkpoint", "--overwrite"))
    np.testing.assert_array_equal(read_photo(inputs / "out" / "frames" / "002.png"), first)


@pytest.mark.parametrize("kind", ["ellipse", "spiral", "figure-of-eight", "dolly-zoom"])
def test_every_path_can_be_previewed(kind, inputs):
    files = (str(inputs / "photo.png"), "--depth", str(inputs / "depth.npy"), "--depth-kind", "depth")
    options = ("--path.kind", kind, "--path.frames", "3", "--path.radius", "6", "6", "--path.travel", "2")
    size = ("--path.reach", "0.5", "0.5", "0.5", "--picture.size", "64", "64", "--picture.fit", "pad")
    main(["warp", *files, *options, *size, "--out", str(inputs / "out")])
    assert len(read_poses(inputs / "out" / "poses.json")) == 3


def test_warp_needs_no_weights(tmp_path):
    photo = np.random.default_rng(0).random((100, 150, 3), np.float32)
    write_picture(tmp_path / "photo.jpg", photo)
    np.save(tmp_path / "disparity.npy", np.full((100, 150), 50, np.float32))
    line = ["--path.kind", "line", "--path.start", "40", "--path.end", "38", "1", "-2"]
    files = [str(tmp_path / "photo.jpg"), "--depth", str(tmp_path / "disparity.npy"), "--depth-kind", "disparity"]
    main(["warp", *files, "--out", str(tmp_path / "out"), *line, "--path.frames", "5"])
    assert len(list((tmp_path / "out" / "warps").iterdir())) == 5
    assert read_photo(tmp_path / "out" / "warps" / "000.png").shape == (64, 128, 3)
    with Image.open(tmp_path / "out" / "warps.gif") as image:
        assert getattr(image, "n_frames", 1) == 5


def look(folder: Path, weights: Path, *more: str) -> list[str]:
    """Options that every mode shares: the tiny model, few and small frames."""
    short = ("--path.radius", "6", "6", "--path.step-degrees", "4", "--camera.focal", "0.6", "--steps", "1")
    return [*more, "--weights", str(weights), "--out", str(folder / "out"), *short]


@pytest.fixture
def video(tmp_path):
    """Seven frames of a square that moves, as pictures and as a file, with depth."""
    photos, depths = zip(*(scene(0) for _ in range(7)), strict=True)
    photos = np.stack([np.roll(photo, 2 * index, axis=1) for index, photo in enumerate(photos)])
    write_frames(tmp_path / "frames", photos)
    write_video(tmp_path / "clip.mp4", photos, fps=30)
    (tmp_path / "depth").mkdir()
    for index, depth in enumerate(depths):
        np.save(tmp_path / "depth" / f"{index:03d}.npy", depth)
    return tmp_path


@pytest.mark.parametrize(("name", "rate"), [("frames", 7), ("clip.mp4", 30)])
def test_video_of_any_length(video, weights_of_four_frames, name, rate, capsys):
    depth = ("--depth", str(video / "depth"), "--depth-kind", "depth")
    main(look(video, weights_of_four_frames, "video", str(video / name), *depth))
    assert f"; {rate} frames a second" in capsys.readouterr().err
    assert len(list((video / "out" / "frames").iterdir())) == 7
    assert facts(video / "out" / "video.mp4").rate == rate  # a video keeps its own
    assert json.loads((video / "out" / "run.json").read_text())["job"]["settings"]["path"]["radius"] == [6, 6]


@pytest.fixture
def posed(tmp_path):
    """Three views of a scene in nerfstudio's layout."""
    photo, depth = scene()
    write_frames(tmp_path / "scene" / "images", np.stack([photo] * 3))
    (tmp_path / "scene" / "depth").mkdir()
    cameras = []
    for index, x in enumerate((0.0, 0.5, 1.0)):
        np.save(tmp_path / "scene" / "depth" / f"{index:03d}.npy", depth)
        pose = np.eye(4)
        pose[0, 3] = -x
        K = np.array([[20.0, 0, WIDTH / 2], [0, 20.0, HEIGHT / 2], [0, 0, 1]])
        cameras.append(PosedCamera(pose, K, HEIGHT, WIDTH, tmp_path / "scene" / "images" / f"{index:03d}.png"))
    write_transforms(tmp_path / "scene" / "transforms.json", CameraSet(tuple(cameras)))
    return tmp_path


def test_views_are_visited_in_order(posed, weights_of_four_frames):
    depth = ("--depth", str(posed / "scene" / "depth"))
    main(look(posed, weights_of_four_frames, "views", str(posed / "scene"), *depth))
    poses = read_poses(posed / "out" / "poses.json")
    assert len(poses) == 7
    np.testing.assert_allclose(poses[:, 0, 3], -np.arange(7) / 6, atol=1e-6)
    np.testing.assert_array_equal(
        read_photo(posed / "out" / "warps" / "006.png"), read_photo(posed / "scene" / "images" / "002.png")
    )


@pytest.mark.full
def test_chosen_views_backwards_as_the_release(posed, weights_of_four_frames):
    depth = ("--depth", str(posed / "scene" / "depth"), "--preset", "reference", "--picture.size", "24", "32")
    main(look(posed, weights_of_four_frames, "views", str(posed / "scene"), *depth, "--cameras", "2", "0"))
    assert len(read_poses(posed / "out" / "poses.json")) == 4


def test_a_full_turn(inputs, weights_of_four_frames):
    depth = (str(inputs / "photo.png"), "--depth", str(inputs / "depth.npy"), "--depth-kind", "depth")
    main(look(inputs, weights_of_four_frames, "single", *depth, "--path.kind", "full-turn"))
    poses = read_poses(inputs / "out" / "poses.json")
    centres = -np.einsum("fji,fj->fi", poses[:, :3, :3], poses[:, :3, 3])
    angles = np.unwrap(np.arctan2(centres[:, 0], centres[:, 2]))
    assert abs(angles[-1] - angles[0]) > np.radians(300)
    assert len(list((inputs / "out" / "frames").iterdir())) == len(poses)


def test_warps_made_elsewhere(inputs, weights):
    main(single(inputs, weights))
    made = shutil.move(inputs / "out", inputs / "made")
    black = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    write_picture(Path(made) / "warps" / "002.png", black)
    main(single(inputs, weights, "--conditions", str(made)))
    np.testing.assert_array_equal(read_photo(inputs / "out" / "warps" / "002.png"), black)


def test_preview_needs_no_weights(posed):
    depth, size = ("--depth", str(posed / "scene" / "depth")), ("--picture.size", "64", "64", "--path.frames", "3")
    main(["views", str(posed / "scene"), "--preview", "--out", str(posed / "out"), *depth, *size])
    assert not (posed / "out" / "video.mp4").exists()
    assert len(list((posed / "out" / "warps").iterdir())) == 5


def unequal_frames(folder):
    write_picture(folder / "frames" / "003.png", np.zeros((HEIGHT, WIDTH + 4, 3), np.float32))


def fewer_depths(folder):
    (folder / "depth" / "002.npy").unlink()


def no_frames(folder):
    for path in (folder / "frames").iterdir():
        path.unlink()


def path_of_wrong_length(folder):
    (folder / "options").write_text("--path.frames 9")


def no_rotation(folder):
    (folder / "path.json").write_text(json.dumps([(np.eye(4) * 2).tolist()] * 7))
    (folder / "options").write_text(f"--path.kind file --path.file {folder / 'path.json'}")


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (unequal_frames, "one size"),
        (fewer_depths, "7 frames"),
        (no_frames, "no pictures"),
        (path_of_wrong_length, "9 poses"),
        (no_rotation, "path.json"),
    ],
)
def test_mistakes_with_videos(video, mistake, message, capsys):
    mistake(video)
    options = (video / "options").read_text().split() if (video / "options").exists() else []
    files = [
        str(video / "frames"),
        "--depth",
        str(video / "depth"),
        "--depth-kind",
        "depth",
        "--out",
        str(video / "out"),
    ]
    with pytest.raises(SystemExit) as stop:
        main(["video", *files, "--out", str(video / "out"), "--preview", "--picture.size", "64", "64", *options])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (video / "out").exists()


def test_a_camera_without_its_picture(posed, capsys):
    (posed / "scene" / "images" / "001.png").unlink()
    with pytest.raises(SystemExit) as stop:
        main(["views", str(posed / "scene"), "--preview", "--out", str(posed / "out")])
    assert stop.value.code == 2
    assert "001.png" in capsys.readouterr().err


def break_depth(folder, value):
    depth = np.load(folder / "depth.npy")
    depth[3, 4] = value
    np.save(folder / "depth.npy", depth)


def wrong_size(folder, weights):
    np.save(folder / "depth.npy", np.ones((20, 50), np.float32))


def not_finite(folder, weights):
    break_depth(folder, np.nan)


def negative(folder, weights):
    break_depth(folder, -1)


def all_zero(folder, weights):
    np.save(folder / "depth.npy", np.zeros((HEIGHT, WIDTH), np.float32))


def no_picture(folder, weights):
    (folder / "photo.png").write_text("hello")


def no_depth(folder, weights):
    (folder / "depth.npy").unlink()


def foreign_config(folder, weights):
    config = json.loads((weights / "unet" / "config.json").read_text())
    (weights / "unet" / "config.json").write_text(json.dumps(config | {"_class_name": "UNet2DConditionModel"}))


def truncated_weights(folder, weights):
    path = weights / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def no_weights(folder, weights):
    (weights / "model_index.json").unlink()


def full_folder(folder, weights):
    (folder / "out").mkdir()
    (folder / "out" / "precious.txt").write_text("mine")


MISTAKES = {
    wrong_size: "20x50",
    not_finite: "not finite",
    negative: "negative",
    all_zero: "zero everywhere",
    no_picture: "photo.png",
    no_depth: "depth.npy",
    foreign_config: "UNet2DConditionModel",
    truncated_weights: "diffusion_pytorch_model.safetensors",
    no_weights: "model_index.json",
    full_folder: "not empty",
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_one_clear_line_and_leaves_nothing(mistake, inputs, weights, tmp_path, capsys, monkeypatch):
    copy = shutil.copytree(weights, tmp_path / "weights")
    mistake(inputs, copy)
    if mistake is not truncated_weights:
        monkeypatch.setattr(Opened, "load", Mock(side_effect=AssertionError("weights were read")))
    before = sorted(path.name for path in inputs.iterdir())
    with pytest.raises(SystemExit) as stop:
        main(single(inputs, copy))
    assert stop.value.code == 2
    *said, error = [line for line in capsys.readouterr().err.splitlines() if line and "is read as" not in line]
    # Weights are read last: how the inputs were understood, and how many holes there will be, is said by then.
    notes = [line.split()[0] for line in said]
    assert notes == (["taken", "holes,"] if mistake is truncated_weights else []), said
    assert error.startswith("nvs-jax: error: ")
    assert MISTAKES[mistake] in error
    assert sorted(path.name for path in inputs.iterdir()) == before
    if mistake is full_folder:
        assert [path.name for path in (inputs / "out").iterdir()] == ["precious.txt"]


@pytest.mark.parametrize("steps", ["0", "-5"])
def test_steps_must_be_positive(steps, inputs, weights, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*single(inputs, weights), "--steps", steps])
    assert stop.value.code == 2
    assert f"schedule.steps must lie between 1 and 10000, not {steps}" in capsys.readouterr().err
    assert not (inputs / "out").exists()


def test_missing_folder_of_weights(inputs, capsys):
    with pytest.raises(SystemExit):
        main(single(inputs, inputs / "nowhere"))
    assert "nowhere does not exist" in capsys.readouterr().err


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "nvs_jax", *arguments], capture_output=True, text=True, env=os.environ)


def test_help_names_the_jobs_and_imports_nothing_slow():
    helped = run("--help")
    assert helped.returncode == 0
    for job in ("single", "warp", "convert", "demo"):
        assert job in helped.stdout
    slow = ("jax", "yaml", "cattrs", "PIL", "av", "matplotlib", "scipy", "secrets")
    code = f"import sys; from nvs_jax.cli import parse; parse(['demo']); print([n for n in {slow} if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_exit_code_reaches_the_shell(tmp_path):
    failed = run("warp", "nothing.png", "--depth", "d.npy", "--depth-kind", "depth", "--out", str(tmp_path / "out"))
    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr
