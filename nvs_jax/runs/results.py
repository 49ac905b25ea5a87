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
from jaxtyping import Bool, Float

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


class Result(NamedTuple):
    """A whole video.

    Attributes:
        views: the given view, and what was known of every other frame, holes black.
        holes: what was not known.
        frames: the video; None where only warps were asked for, as are trust and sigmas.
        trust: w of the first leg, per step and frame.
        sigmas: noise levels of the steps.
    """

    views: Float[np.ndarray, "n H W 3"]
    holes: Bool[np.ndarray, "n H W"]
    frames: Float[np.ndarray, "n H W 3"] | None
    trust: Float[np.ndarray, "steps f"] | None
    sigmas: Float[np.ndarray, "steps"] | None


def write_result(folder: Path, result: Result, cameras: Cameras, view: View, fps: float) -> None:
    """Everything a user wants to see or to take along; `run.json` is `write_record`'s."""
    write_frames(folder / "warps", result.views)
    write_frames(folder / "holes", np.repeat(result.holes[..., None], 3, -1).astype(np.float32))
    write_gif(folder / "warps.gif", result.views, fps)
    write_picture(folder / "warps.png", sheet({"warp": result.views}))
    pictures = "warps"
    if result.frames is not None and result.trust is not None and result.sigmas is not None:
        pictures = "frames"
        write_video(folder / "video.mp4", result.frames, fps)
        write_frames(folder / "frames", result.frames)
        trust_heat_map(folder / "weights.png", result.trust, result.sigmas)
    write_cameras(folder, pictures, cameras, view)


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
    return value.tolist() if isinstance(value, np.ndarray | jax.Array) else str(value)
