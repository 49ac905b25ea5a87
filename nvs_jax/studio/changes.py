"""What can be changed at the studio: each makes another session of one, and leaves that as it is."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import read_poses, write_poses
from nvs_jax.pipeline import override
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.presets import settings_for
from nvs_jax.studio.beforehand import lattice_of
from nvs_jax.studio.keys import Pose
from nvs_jax.studio.session import Session, mode_of


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


def with_keys(session: Session, keys: Sequence[Pose], follows: bool | None = None) -> Session:
    """Other key frames; none: the path of the settings again."""
    follows = session.follows if follows is None else follows
    return replace(session, keys=tuple(np.asarray(key, np.float64) for key in keys), follows=follows, saved=None)


def add_key(session: Session, pose: Pose) -> Session:
    """A key frame after all others; before the first one, the given view's pose becomes one."""
    keys = session.keys or (np.asarray(session.track.poses[0], np.float64),)
    return with_keys(session, (*keys, pose))


def move_key(session: Session, number: int, pose: Pose) -> Session:
    """Put a key frame elsewhere.

    Raises:
        InputError: it is the first one, which is the given view's, or there is none of this number.
    """
    _check_key(session, number)
    return with_keys(session, [pose if index == number else key for index, key in enumerate(session.keys)])


def delete_key(session: Session, number: int) -> Session:
    """Leave a key frame out; without any but the given view's, the path is that of the settings again.

    Raises:
        InputError: see `move_key`.
    """
    _check_key(session, number)
    keys = [key for index, key in enumerate(session.keys) if index != number]
    return with_keys(session, keys if len(keys) > 1 else ())


def keys_of_path(session: Session, count: int) -> Session:
    """Key frames evenly along the path as it is, to be moved one by one.

    Raises:
        InputError: fewer than two, or more than the path has frames.
    """
    poses = session.track.poses
    if not 2 <= count <= len(poses):
        raise InputError(f"{count} key frames of {len(poses)} frames: choose 2 at least, and no more than that")
    return with_keys(session, list(poses[np.linspace(0, len(poses) - 1, count).round().astype(int)]), follows=False)


def fit_radius(session: Session) -> Session:
    """Scale the path so that it is about what is in the middle of the given view."""
    path = session.job.settings.path
    by = session.distance / path.distance
    if path.kind == "file":
        raise InputError("the poses of a file are as they are: give them the depth's units, or choose another path")
    if not np.isfinite(by) or abs(by - 1) < 1e-3:
        return session
    lengths: dict[str, Any] = {
        name: tuple(float(f"{value * by:.4g}") for value in getattr(path, name)) for name in ("radius", "reach", "end")
    }
    lengths |= {name: float(f"{getattr(path, name) * by:.4g}") for name in ("start", "travel")}
    return with_path(session, **lengths)


def save_path(session: Session, file: Path | None = None) -> Session:
    """Write the poses of all frames, as `--path.file` reads them.

    Args:
        session: of a photo or a video.
        file: .json or .txt; None: beside the result.

    Raises:
        InputError: another ending, or a folder that is not there.
    """
    file = session.path_file if file is None else file
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


def _remade(session: Session, settings: RenderSettings) -> Session:
    before, scene = session.job.settings, session.scene
    told = override(settings, session.job.method, session.job.steps)
    if session.keys and settings.path.distance != before.path.distance:
        raise InputError("key frames have the units of the path's radius, which stays as it is while there are any")
    if settings.camera != before.camera or settings.path.distance != before.path.distance:
        scene = scene.remade(told)
    return replace(session, scene=scene, job=replace(session.job, settings=settings), saved=None)


def _check_key(session: Session, number: int) -> None:
    if number == 0 and session.keys:
        raise InputError("the first key frame is the given view's pose and stays: move another one")
    if not 0 < number < len(session.keys):
        raise InputError(f"there is no key frame {number}: there are {len(session.keys)}")
