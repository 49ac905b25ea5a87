"""`nvs-jax views` on photos alone: a procedural scene whose cameras are known."""

import json
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
