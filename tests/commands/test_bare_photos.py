"""`nvs-jax views` on photos alone: a procedural scene whose cameras are known."""

import json
import re
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from nvs_jax.cli import main
from nvs_jax.evaluation.trajectories import centres, rotation_angles, umeyama
from nvs_jax.geometry import orbit
from nvs_jax.media import read_frames
from nvs_jax.media.cameras import read_cameras
from nvs_jax.scenes import default_view, random_scene, render_path
from tests.commands.test_depth import write_small

HEIGHT, WIDTH, VIEWS, DISTANCE, SEED = 384, 512, 12, 4.0, 40_003


def photographed(folder: Path, seed: int) -> np.ndarray:
    """Photos and disparity of 12 views from an orbit that also rises and sinks; world-to-camera poses."""
    _, K = default_view(HEIGHT, WIDTH)
    poses = np.array(orbit(DISTANCE, DISTANCE, step_degrees=2.5, frames=VIEWS), np.float64)
    poses[:, 1, 3] += 0.25 * np.sin(np.arange(VIEWS))
    view = render_path(random_scene(seed), jnp.asarray(poses, jnp.float32), K, HEIGHT, WIDTH, samples=2)
    for name in ("photos", "disparity"):
        (folder / name).mkdir(parents=True)
    for index, (picture, depth) in enumerate(zip(np.asarray(view.picture), np.asarray(view.depth), strict=True)):
        Image.fromarray((picture * 255).round().astype(np.uint8)).save(folder / "photos" / f"{index:02}.png")
        np.save(folder / "disparity" / f"{index:02}.npy", 1 / depth)
    return poses


@pytest.mark.full
def test_poses_of_twelve_views_are_found_and_the_views_between_are_rendered(tmp_path: Path, capsys) -> None:
    true = photographed(tmp_path, SEED)
    main(
        [
            *("views", str(tmp_path / "photos"), "--weights", "demo", "--steps", "2", "--cameras", "0", "4"),
            *("--depth", str(tmp_path / "disparity"), "--depth-kind", "disparity", "--out", str(tmp_path / "out")),
            *("--picture.size", "64", "96", "--path.frames", "5"),
        ]
    )
    assert "12 of 12 photos registered" in capsys.readouterr().err
    scene = read_cameras(tmp_path / "out" / "scene")
    poses = umeyama(centres(scene.poses), centres(true)).poses(scene.poses)
    assert rotation_angles(poses[:, :3, :3] @ np.swapaxes(true[:, :3, :3], 1, 2)).max() < 0.5
    assert np.linalg.norm(centres(poses) - centres(true), axis=-1).max() < 0.01 * DISTANCE
    listed = json.loads((tmp_path / "out" / "run.json").read_text())["files"]
    assert "scene/sparse/0/cameras.bin" in listed and "video.mp4" in listed
    # Depth that is fitted to the points found carries one view to the next: few holes, and what is seen is seen again.
    holes = read_frames(tmp_path / "out" / "holes")[1:]
    assert holes.mean() < 0.3


@pytest.mark.full
def test_two_photos_are_rendered_with_estimated_depth_and_with_maps_of_any_unit_and_size(tmp_path, capsys) -> None:
    """A network of random weights for estimated depth; maps in millimetres, of half the size."""
    true = photographed(tmp_path, SEED)
    for index in {*range(VIEWS)} - {2, 4}:
        (tmp_path / "photos" / f"{index:02}.png").unlink()
    (tmp_path / "maps").mkdir()
    for name in ("02", "04"):
        depth = 1 / np.load(tmp_path / "disparity" / f"{name}.npy")
        np.save(tmp_path / "maps" / f"{name}.npy", 1000 * depth[::2, ::2])
    network = write_small(tmp_path / "network")
    command = ("views", str(tmp_path / "photos"), "--weights", "demo", "--steps", "2", "--path.frames", "5")
    command = (*command, "--picture.size", "64", "96")
    main([*command, "--out", str(tmp_path / "estimated"), "--depth-weights", str(network)])
    said = capsys.readouterr().err
    assert "2 of 2 photos registered" in said and "estimated disparity of no unit, fitted to the scene's points" in said
    assert len(read_frames(tmp_path / "estimated" / "frames")) == 5
    maps = ("--depth", str(tmp_path / "maps"), "--depth-kind", "depth")
    main([*command, *maps, "--out", str(tmp_path / "maps_of_mine")])
    said = capsys.readouterr().err
    assert "maps of depth are scaled to the points found" in said
    assert f"resampled from maps of {HEIGHT // 2}x{WIDTH // 2} (height x width)" in said
    found = centres(read_cameras(tmp_path / "maps_of_mine" / "scene").poses)
    scale = np.linalg.norm(found[1] - found[0]) / np.linalg.norm(*np.diff(centres(true[[2, 4]]), axis=0))
    depth = 1 / np.load(tmp_path / "disparity" / "02.npy")
    rows, columns = (slice(round(0.35 * side), round(0.65 * side)) for side in depth.shape)
    (middle,) = re.findall(r"([\d.]+) in the middle, resampled", said)
    assert float(middle) == pytest.approx(scale * np.median(depth[rows, columns]), rel=0.1)
