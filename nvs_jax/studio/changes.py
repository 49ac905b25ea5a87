"""What can be changed at the studio: each makes another session of one, and leaves that as it is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import read_pose_file, read_poses, write_poses
from nvs_jax.pipeline import override
from nvs_jax.settings import PathKind, PathSettings, RenderSettings
from nvs_jax.settings.presets import settings_for
from nvs_jax.studio.beforehand import lattice_of
from nvs_jax.studio.command_line import mode_of
from nvs_jax.studio.session import Session

_LENGTHS = ("radius", "reach", "end", "start", "travel")
"""Settings of a path that have the units of depth."""


def with_path(session: Session, **changes: Any) -> Session:
    """Another path, by fields of `PathSettings`; what the sliders do. Key frames are left where its kind is given.

    Raises:
        InputError: values that are no path.
    """
    if "kind" in changes:
        session = replace(session, keys=())
        changes = {"file": None} | changes
    path = replace(session.job.settings.path, **changes)
    return _remade(session, replace(session.job.settings, path=path))


def with_kind(session: Session, kind: PathKind) -> Session:
    """Another kind of path; lengths at their defaults are scaled as the radius is to its own.

    Raises:
        InputError: it is no path all the same.
    """
    path, usual = session.path, PathSettings()
    by = path.radius[1] / usual.radius[1]
    lengths = {name: getattr(usual, name) for name in _LENGTHS if getattr(path, name) == getattr(usual, name)}
    return with_path(session, kind=kind, **{name: _times(length, by) for name, length in lengths.items()})


def with_path_part(session: Session, name: str, index: int | None, value: Any) -> Session:
    """Another number of the path.

    Args:
        session: whose.
        name: of the setting.
        index: which of its numbers; None: it is one.
        value: of it.
    """
    if index is not None:
        parts = list(getattr(session.job.settings.path, name))
        parts[index] = float(value)
        value = tuple(parts)
    return with_path(session, **{name: value})


def with_settings(session: Session, **changes: Any) -> Session:
    """Another camera, warp or other group of settings, by fields of `RenderSettings`.

    Raises:
        InputError: depth that cannot be had with them, or a change that needs all inputs read again.
    """
    return _remade(session, replace(session.job.settings, **changes))


def with_camera(session: Session, **changes: Any) -> Session:
    """Another lens or mapping of depth, by fields of `CameraSettings`."""
    return with_settings(session, camera=replace(session.job.settings.camera, **changes))


def with_disparity(session: Session, **changes: Any) -> Session:
    """Other planes of depth, by fields of `DisparitySettings`."""
    return with_camera(session, disparity=replace(session.job.settings.camera.disparity, **changes))


def with_warp(session: Session, **changes: Any) -> Session:
    """Another warp, by fields of `WarpSettings`."""
    return with_settings(session, warp=replace(session.job.settings.warp, **changes))


def with_choice(session: Session, **changes: Any) -> Session:
    """What a render is made with, by fields of `RenderJob`; another preset or other weights bring their settings.

    What has been chosen of picture, camera, path, views and warp stays.

    Raises:
        InputError: a preset, weights or number of steps that cannot be had.
    """
    job, out = session.job, Path(changes.pop("out", session.job.out))
    changed = replace(job, out=out, **changes)
    if changed.weights != job.weights and lattice_of(changed.weights) != session.scene.lattice:
        raise InputError(f"{changed.weights} takes other sizes or lengths: open the studio again with --weights")
    if (changed.preset, changed.weights) != (job.preset, job.weights):
        mode = mode_of(job)
        kept = {name: getattr(job.settings, name) for name in ("picture", "camera", "path", "views", "warp")}
        changed = replace(changed, settings=replace(settings_for(changed.weights, changed.preset, mode), **kept))
    if changed.steps == changed.settings.schedule.steps:
        changed = replace(changed, steps=None)
    override(changed.settings, changed.method, changed.steps)
    return replace(session, job=changed, saved=session.saved if out == job.out else None)


def with_job(session: Session, **changes: Any) -> Session:
    """Another method, seed, weights or folder, by fields of `RenderJob`."""
    return replace(session, job=replace(session.job, **changes), saved=None if "out" in changes else session.saved)


def fit_radius(session: Session) -> Session:
    """Scale the path so that it is about what is in the middle of the given view.

    Raises:
        InputError: see `with_distance`.
    """
    return with_distance(session, session.distance)


def with_distance(session: Session, distance: float) -> Session:
    """Scale all lengths of the path; depth that has no scale of its own follows.

    Args:
        session: whose.
        distance: of the given view from what the path is about, afterwards, in scene units.

    Raises:
        InputError: the path is of a file, or of key frames.
    """
    path = session.job.settings.path
    if path.kind == "file" or session.keys:
        raise InputError("poses are as they are: give them the depth's units, or choose another kind of path")
    by = distance / path.distance
    if not np.isfinite(by) or abs(by - 1) < 1e-3:
        return session
    return with_path(session, **{name: _times(getattr(path, name), by) for name in _LENGTHS})


def save_path(session: Session, file: Path | None = None) -> Session:
    """Write the poses of all frames, as `--path.file` reads them.

    Args:
        session: of a photo or a video.
        file: .json or .txt; None: beside the result.

    Raises:
        InputError: another ending, a folder that is not there, or a file of another kind that is.
    """
    file = session.path_file if file is None else file
    if file.exists() and not _is_path(file):
        raise InputError(f"{file} is there and holds no path of ours: choose another name")
    if file.parent.exists() and not file.parent.is_dir():
        raise InputError(f"{file.parent} is no folder")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_poses(file, np.asarray(session.track.poses, np.float64))
    return replace(session, saved=file) if session.keys else session


def open_path(session: Session, file: Path) -> Session:
    """Take the path that a file of poses holds, all of it.

    Raises:
        InputError: it cannot be read, or is no path.
    """
    if session.scene.sources is not None:
        raise InputError("between posed views the path is given: a file of poses is for a photo or a video")
    return with_path(session, kind="file", file=file, frames=len(read_poses(file)))


def _times(length: Any, by: float) -> Any:
    """A length, or more of them, so many times as long, in four digits.

    >>> _times((1.0, 2.0), 1 / 3), _times(4.0, 2.0)
    ((0.3333, 0.6667), 8.0)
    """
    if isinstance(length, tuple):
        return tuple(_times(each, by) for each in length)
    return float(f"{length * by:.4g}")


def _remade(session: Session, settings: RenderSettings) -> Session:
    before, scene = session.job.settings, session.scene
    told = override(settings, session.job.method, session.job.steps)
    if session.keys and settings.path.distance != before.path.distance:
        raise InputError("key frames have the units of the path's radius, which stays as it is while there are any")
    if settings.camera != before.camera or settings.path.distance != before.path.distance:
        scene = scene.remade(told)
    return replace(session, scene=scene, job=replace(session.job, settings=settings), saved=None)


def _is_path(file: Path) -> bool:
    """Whether a file is one that `save_path` writes."""
    try:
        convention = read_pose_file(file).convention
    except InputError:
        return False
    return not convention or "16 numbers" in convention
