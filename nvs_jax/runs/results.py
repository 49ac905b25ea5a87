"""What a run leaves in its folder: video, frames, warps, trust in them, and how to do it again."""

import dataclasses
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

import nvs_jax
from nvs_jax.disk import RESULT, atomic_path, published_folder
from nvs_jax.geometry.trajectories import Poses
from nvs_jax.inputs.view import View
from nvs_jax.media import (
    contact_sheet,
    trust_heat_map,
    write_frames,
    write_gif,
    write_picture,
    write_video,
)
from nvs_jax.media.cameras import (
    CameraSet,
    PosedCamera,
    point_cloud,
    write_colmap,
    write_ply,
    write_poses,
    write_transforms,
    write_tum,
)
from nvs_jax.media.cameras.views import to_corner
from nvs_jax.remote import spelt
from nvs_jax.steering.conditions import Conditions
from nvs_jax.steering.legs import Plan
from nvs_jax.steering.render import Render


@contextmanager
def result_folder(out: Path, *, overwrite: bool, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """Collect results in a hidden folder that becomes `out` when all of them are there.

    Raises:
        InputError: see `nvs_jax.disk.published_folder`.
    """
    with published_folder(out, RESULT, overwrite=overwrite, inputs=inputs) as folder:
        yield folder


class Cameras(NamedTuple):
    """Of every frame of a video.

    Attributes:
        poses: world-to-camera.
        intrinsics: K in pixels.
    """

    poses: Poses
    intrinsics: Float[jax.Array, "n 3 3"]


def write_result(folder: Path, result: Render | Conditions, plan: Plan, view: View) -> None:
    """Everything a user wants to see or to take along; `run.json` is `write_record`'s.

    Args:
        folder: to write into.
        result: the video, or, where only warps were asked for, those.
        plan: that it was made by.
        view: the given view, which the first camera sees. A video keeps its own frames a second; others have those
            that the model is told.
    """
    fps = view.fps or float(plan.settings.conditioning.fps)
    warped, holes = result.warped, result.holes
    write_frames(folder / "warps", warped)
    write_frames(folder / "holes", np.repeat(holes[..., None], 3, -1).astype(np.float32))
    write_gif(folder / "warps.gif", warped, fps)
    write_picture(folder / "warps.png", sheet({"warp": warped}))
    if isinstance(result, Render):
        write_video(folder / "video.mp4", result.frames, fps)
        write_frames(folder / "frames", result.frames)
        trust_heat_map(folder / "weights.png", result.trust, result.sigmas)
    pictures = "frames" if isinstance(result, Render) else "warps"
    write_cameras(folder, pictures, Cameras(plan.poses, plan.intrinsics), view)


def write_cameras(folder: Path, pictures: str, cameras: Cameras, view: View) -> None:
    """The video's cameras, for nerfstudio, COLMAP and gsplat, and the given view's points.

    transforms.json, colmap/sparse/0, trajectory.txt (TUM), poses.json and points.ply. The first two have a K for every
    frame, the same one only where all are; both count pixel positions from the picture's corner, and the warp from
    the centre of its first pixel. trajectory.txt and poses.json hold poses alone.

    Args:
        folder: to write into.
        pictures: the folder in it whose pictures the files name.
        cameras: of every frame.
        view: the given view, which the first camera sees.
    """
    height, width = view.depth.shape
    poses = np.asarray(cameras.poses, np.float64)
    lenses = to_corner(np.asarray(cameras.intrinsics, np.float64))
    lens = to_corner(np.asarray(view.intrinsics, np.float64))
    points, colours = point_cloud(view.picture, view.depth, lens, poses[0])
    few = slice(None, None, max(1, len(points) // 50_000))
    known = CameraSet(
        tuple(
            PosedCamera(pose, K, height, width, folder / pictures / f"{index:03d}.png")
            for index, (pose, K) in enumerate(zip(poses, lenses, strict=True))
        ),
        points[few],
        colours[few],
    )
    write_transforms(folder / "transforms.json", known)
    write_colmap(folder / "colmap" / "sparse" / "0", known)
    write_tum(folder / "trajectory.txt", poses)
    write_poses(folder / "poses.json", poses)
    write_ply(folder / "points.ply", points, colours)


def write_record(folder: Path, **entries: Any) -> None:
    """run.json: every setting, the versions and the machine. The list of files is added when the folder is complete."""
    record = {
        "versions": {"nvs_jax": nvs_jax.__version__, "jax": jax.__version__, "python": platform.python_version()},
        "device": {"kind": jax.devices()[0].device_kind, "count": jax.device_count()},
        **entries,
    }
    with atomic_path(folder / "run.json") as path:
        path.write_text(json.dumps(record, indent=2, default=_plain) + "\n", encoding="utf-8")


def sheet(rows: Mapping[str, np.ndarray], columns: int = 5, width: int = 256) -> np.ndarray:
    """A contact sheet of videos, one a row, each shown by a few frames evenly spaced.

    Args:
        rows: label to frames [F, H, W, 3].
        columns: frames shown of each.
        width: of a picture, at most, in pixels.
    """
    lines = []
    for label, frames in rows.items():
        chosen = np.unique(np.linspace(0, len(frames) - 1, columns).round().astype(int))
        step = -(-frames.shape[2] // width)
        lines.append([(f"{label} {index}", frames[index, ::step, ::step]) for index in chosen])
    return contact_sheet(lines)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.tolist() if isinstance(value, np.ndarray | jax.Array) else spelt(str(value))
