"""Sessions on scenes small enough for tests."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.media import write_frames, write_picture
from nvs_jax.models.contract import Lattice
from nvs_jax.settings import CameraSettings, PathSettings, RenderSettings
from nvs_jax.settings.jobs import SingleJob, VideoJob, ViewsJob
from nvs_jax.settings.presets import settings_for
from nvs_jax.studio.scene import open_scene
from nvs_jax.studio.session import Session
from tests.tiny import scene

LATTICE = Lattice(cell=2, cells=2, frame_step=1, channels=4, frames=5)
PATH = PathSettings(radius=(6.0, 6.0), step_degrees=4.0)


def settings(**changes: Any) -> RenderSettings:
    from dataclasses import replace

    return replace(settings_for(None), **{"path": PATH, "camera": CameraSettings(focal=0.6)} | changes)


def photo_session(folder: Path, kind: str = "depth", **changes: Any) -> Session:
    """A square in front of a wall."""
    picture, depth = scene()
    write_picture(folder / "photo.png", picture)
    np.save(folder / "depth.npy", depth if kind == "depth" else 1 / depth)
    job = SingleJob(
        photo=folder / "photo.png",
        depth=folder / "depth.npy",
        depth_kind="depth" if kind == "depth" else "disparity",
        out=folder / "out",
        settings=settings(**changes),
    )
    return Session(open_scene(job, job.settings, LATTICE), job)


def video_session(folder: Path, kind: str = "depth") -> Session:
    """Seven frames of noise at the same depth."""
    _, depth = scene()
    (folder / "maps").mkdir()
    write_frames(folder / "clip", np.stack([scene(seed)[0] for seed in range(7)]))
    for number in range(7):
        np.save(folder / "maps" / f"{number:03}.npy", depth if kind == "depth" else 1 / depth)
    job = VideoJob(
        frames=folder / "clip",
        depth=folder / "maps",
        depth_kind="depth" if kind == "depth" else "disparity",
        out=folder / "out",
        settings=settings(),
    )
    return Session(open_scene(job, job.settings, LATTICE), job)


def views_session(folder: Path) -> Session:
    """Two cameras side by side in front of the wall."""
    picture, depth = scene()
    shots = []
    for name, x in (("a", 0.0), ("b", 0.5)):
        write_picture(folder / f"{name}.png", picture)
        np.save(folder / f"{name}.npy", depth)
        pose = np.eye(4)
        pose[0, 3] = x
        shots.append({"file_path": f"{name}.png", "depth_file_path": f"{name}.npy", "transform_matrix": pose.tolist()})
    lens = {"fl_x": 20, "fl_y": 20, "cx": 16, "cy": 12, "w": 32, "h": 24}
    (folder / "transforms.json").write_text(json.dumps(lens | {"frames": shots}))
    job = ViewsJob(scene=folder, out=folder / "out", settings=settings_for(None, mode="views"))
    return Session(open_scene(job, job.settings, LATTICE), job)
