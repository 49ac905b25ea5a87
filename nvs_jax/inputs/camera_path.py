"""Settings of a camera path as poses."""

from pathlib import Path

import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.geometry import dolly_zoom, ellipse, figure_of_eight, line, look_at, orbit, spiral
from nvs_jax.geometry.trajectories import Poses
from nvs_jax.media.cameras import read_pose_file
from nvs_jax.saying import say
from nvs_jax.settings import PathSettings


def camera_path(settings: PathSettings, frames: int) -> Poses:
    """The poses the settings describe; `frames` where they leave the length open.

    Raises:
        InputError: a file that cannot be read, holds no poses, or not as many as there are frames; a full turn,
            which is several paths (see `nvs_jax.steering.legs.turn_plan`); a path on which the camera cannot look at
            the origin.
    """
    poses = _poses(settings, frames)
    if not jnp.isfinite(poses).all():
        raise InputError("the path passes through the origin, or right above or below it: move its start or end")
    return poses


def _poses(settings: PathSettings, frames: int) -> Poses:
    frames = frames if settings.frames is None else settings.frames
    x, z = settings.radius
    given = look_at((0.0, 0.0, z), (0.0, 0.0, 0.0))
    match settings.kind:
        case "orbit":
            return orbit(x, z, settings.step_degrees, frames, settings.inverse)
        case "ellipse":
            return ellipse(x, z, settings.step_degrees, frames, settings.tilt_degrees, settings.inverse)
        case "line":
            return line(settings.start, jnp.array(settings.end), frames)
        case "spiral":
            return spiral(given, jnp.array(settings.reach), z, frames, settings.turns)
        case "figure-of-eight":
            return figure_of_eight(given, settings.reach[0], settings.reach[1], z, frames)
        case "dolly-zoom":
            return dolly_zoom(given, z, settings.travel, frames).poses
        case "full-turn":
            raise InputError("a full turn is made from a single photo: nvs-jax single --path.kind full-turn")
        case "file":
            return _poses_of_file(settings.file, frames)


def focal_factors(settings: PathSettings, frames: int) -> Float[Array, "f"]:
    """By what the given view's focal length is multiplied in each frame of `camera_path`."""
    frames = frames if settings.frames is None else settings.frames
    zoom = settings.zoom ** jnp.linspace(0, 1, frames)
    if settings.kind == "dolly-zoom":
        return zoom * dolly_zoom(jnp.eye(4), settings.radius[1], settings.travel, frames).focal
    return zoom


def _poses_of_file(path: Path | None, frames: int) -> Poses:
    if path is None:
        raise InputError("a path from a file needs path.file, the file's name")
    held = read_pose_file(path)
    poses = held.poses
    if held.convention:
        say(f"{path} is read as {held.convention}")
    if len(poses) != frames:
        raise InputError(
            f"{path} holds {len(poses)} poses, the video has {frames} frames: set path.frames, or resample"
        )
    return jnp.asarray(poses, jnp.float32)
