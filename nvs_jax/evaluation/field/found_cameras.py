"""Cameras found in the frames of a benchmark by structure from motion, and how far they are from those asked for."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.evaluation.field.kept_frames import KeptVideo
from nvs_jax.evaluation.intervals import interval
from nvs_jax.evaluation.report import markdown_table
from nvs_jax.evaluation.trajectories import CameraErrors, Poses, aligned_errors, match_times
from nvs_jax.media.cameras import read_cameras, read_tum, write_tum
from nvs_jax.media.cameras.colmap.register import NoPosesError, register_photos
from nvs_jax.media.cameras.files import rows

LEAST_REGISTERED = 0.8
"""Part of a video's frames whose poses must be known, or it has failed: as in Particle-SfM's evaluation."""

FEWEST_FRAMES = 3
"""That a path must have for its cameras to be compared."""


class VideoCameras(NamedTuple):
    """How far the cameras of a video are from those asked for.

    Attributes:
        errors: after Sim(3), over the frames whose poses are known; None: it has failed.
        known: frames whose poses are known.
        frames: all of them.
    """

    errors: CameraErrors | None
    known: int
    frames: int


def find_cameras(video: KeptVideo) -> None:
    """Look for the poses of kept frames with COLMAP, and write them beside them; a file without poses: none were found.

    Raises:
        InputError: pycolmap is not installed; more frames than it takes.
    """
    try:
        numbers, poses = _registered(video)
    except NoPosesError as error:
        with atomic_path(video.found) as path:
            path.write_text(f"# {error}\n", encoding="utf-8")
        return
    order = np.argsort(numbers)
    write_tum(video.found, poses[order], numbers[order])


def _registered(video: KeptVideo) -> tuple[Float[np.ndarray, "k"], Poses]:
    """Numbers of the frames that were registered, and their poses."""
    if len(video.pictures) < FEWEST_FRAMES:
        raise NoPosesError(f"fewer than {FEWEST_FRAMES} frames, which no similarity aligns")
    with TemporaryDirectory() as scratch:
        register_photos(video.pictures, Path(scratch) / "scene", video.focal())
        try:
            cameras = read_cameras(Path(scratch) / "scene", points=False).cameras
        except InputError as error:  # cameras that cannot be, of frames that hardly fit together
            raise NoPosesError(str(error).removeprefix(f"{scratch}/")) from None
    found = [(int(camera.picture.stem), camera.pose) for camera in cameras if camera.picture is not None]
    return np.array([number for number, _ in found], np.float64), np.stack([pose for _, pose in found])


def compare_cameras(found: Path, asked: Path) -> VideoCameras:
    """Compare two files of poses, whose times are the numbers of the frames.

    Raises:
        InputError: a file is missing or malformed.
    """
    true_times, true = read_tum(asked)
    times, poses = _read_found(found)
    ours, theirs = match_times(times, true_times)
    count = len(theirs)
    if count < math.ceil(LEAST_REGISTERED * len(true)):
        return VideoCameras(None, count, len(true))
    try:
        errors = aligned_errors(poses[ours], true[theirs])
    except InputError:  # too few, or all in one place
        return VideoCameras(None, count, len(true))
    return VideoCameras(errors, count, len(true))


def _read_found(path: Path) -> tuple[np.ndarray, Poses]:
    if not any(True for _ in rows(path)):
        return np.zeros(0), np.zeros((0, 4, 4))
    return read_tum(path)


def camera_lines(found: Mapping[str, Mapping[str, Sequence[VideoCameras]]], by: str) -> list[str]:
    """A section of the report.

    Args:
        found: of each row, of each scene, its videos; a row without scenes was not measured.
        by: what found the poses.
    """
    table = []
    for row, scenes in found.items():
        videos = [video for each in scenes.values() for video in each]
        means = [_scene_mean([video.errors for video in each if video.errors]) for each in scenes.values()]
        cells = [interval([mean[axis] for mean in means]).text(4) if means else "-" for axis in range(3)]
        failed = f"{sum(video.errors is None for video in videos)} of {len(videos)}" if videos else "-"
        table.append([row, *cells, failed])
    return [
        "### Cameras",
        "",
        f"Poses found in the scored frames by {by}, against those asked for, after the similarity that brings the "
        "centres closest: root mean squares of a video, means over scenes with 95 % confidence intervals. A video of "
        f"which fewer than {100 * LEAST_REGISTERED:.0f} % of the frames are registered has failed and is left out: a "
        "row with more of them looks better than it is.",
        "",
        *markdown_table(["", "ATE, the path's units", "RPE-T, the path's units", "RPE-R, degrees", "failed"], table),
    ]


def _scene_mean(errors: Sequence[CameraErrors]) -> tuple[float, float, float]:
    if not errors:
        return math.nan, math.nan, math.nan
    mean = np.mean([[each.ate, each.rpe_t, each.rpe_r] for each in errors], axis=0)
    return float(mean[0]), float(mean[1]), float(mean[2])
