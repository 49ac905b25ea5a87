"""Camera paths: world-to-camera poses [F,4,4], of which the first is the given view's.

`frames` is static; everything else may be traced and differentiated. Paths about the origin and through given poses
are here, motions of a given view in `view_moves`, and all the way round in `full_turn`.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, ScalarLike

from nvs_jax.errors import InputError
from nvs_jax.geometry.cameras import Point, Pose, apply, as_float, look_at, pose_matrix, relative_pose
from nvs_jax.geometry.rotations import slerp
from nvs_jax.settings import Straight

Poses = Float[Array, "f 4 4"]


@partial(jax.jit, static_argnames=("frames", "inverse"))
def orbit(
    radius_x: ScalarLike, radius_z: ScalarLike, step_degrees: ScalarLike, frames: int, inverse: bool = False
) -> Poses:
    """An ellipse about the origin in the plane y = 0, looking at the origin.

    Frame i stands at (radius_x sin t, 0, radius_z cos t) with t = i step_degrees, or 360 - i step_degrees if
    `inverse`, as the release.

    Args:
        radius_x: half axis along x, in scene units; the release's demo takes 60 (one view) or 15 (video).
        radius_z: half axis along z: the distance of the given view from the origin; the demo's is 70 or 30.
        step_degrees: angle from frame to frame; the demo's is 1.
        frames: how many poses.
        inverse: run the other way round.

    Raises:
        InputError: `frames` is less than 1.

    >>> orbit(60, 70, 1, frames=25).shape
    (25, 4, 4)
    """
    return ellipse(radius_x, radius_z, step_degrees, frames, 0.0, inverse)


@partial(jax.jit, static_argnames=("frames", "inverse"))
def ellipse(
    radius_x: ScalarLike,
    radius_z: ScalarLike,
    step_degrees: ScalarLike,
    frames: int,
    tilt_degrees: ScalarLike,
    inverse: bool = False,
) -> Poses:
    """The orbit, with its plane turned about the z axis: the camera rises as it goes round, its horizon level.

    Frame i stands at (radius_x sin t cos e, -radius_x sin t sin e, radius_z cos t), looking at the origin, with
    t = i step_degrees and e = tilt_degrees; world -y is up in the picture. Not defined where the camera looks straight
    along y: a quarter of the way round a vertical ellipse.

    Args:
        radius_x: half axis of the ellipse that the tilt turns, in scene units.
        radius_z: half axis along z: the distance of the given view from the origin.
        step_degrees: angle from frame to frame.
        frames: how many poses.
        tilt_degrees: 0 is the orbit, 90 goes over the top, -90 down below.
        inverse: run the other way round: with a positive tilt, it sinks.

    Raises:
        InputError: `frames` is less than 1.
    """
    _check(frames)
    angles = as_float(step_degrees) * jnp.arange(frames) * (-1 if inverse else 1)
    return ellipse_at(radius_x, radius_z, angles, tilt_degrees)


@jax.jit
def ellipse_at(
    radius_x: ScalarLike, radius_z: ScalarLike, angles: Float[Array, "f"], tilt_degrees: ScalarLike = 0.0
) -> Poses:
    """Poses on the ellipse at any angles t, in degrees."""
    t, tilt = jnp.deg2rad(angles), jnp.deg2rad(as_float(tilt_degrees))
    across = as_float(radius_x) * jnp.sin(t)
    positions = (across * jnp.cos(tilt), -across * jnp.sin(tilt), as_float(radius_z) * jnp.cos(t))
    return look_at_origin(jnp.stack(positions, axis=-1))


@partial(jax.jit, static_argnames="frames")
def line(start_radius: ScalarLike, end: Point, frames: int) -> Poses:
    """A straight line from (start_radius, 0, 0) to `end` in equal steps, looking at the origin, as the release.

    Args:
        start_radius: distance of the given view from the origin, in scene units.
        end: position of the last frame; remember that world +y is down in the picture (see `look_at`).
        frames: how many poses.

    Raises:
        InputError: `frames` is less than 1.
    """
    start = as_float(start_radius) * jnp.array([1.0, 0.0, 0.0])
    return look_at_origin(start + path_fractions(frames)[:, None] * (as_float(end) - start))


@partial(jax.jit, static_argnames=("frames", "straight"))
def between(start: Pose, end: Pose, frames: int, straight: Straight = "centre") -> Poses:
    """From one pose to another, both included: rotation at constant angular speed and a straight line.

    Args:
        start: world-to-camera.
        end: world-to-camera.
        frames: how many poses.
        straight: what moves in a straight line: the camera's centre, or, as the release, the world-to-camera
            translation t. That makes the path depend on where the world's origin is: the farther away, the farther
            the cameras leave the straight line where the view turns.

    Raises:
        InputError: `frames` is less than 1.
    """
    return jax.vmap(lambda fraction: _part_of_the_way(start, end, fraction, straight))(path_fractions(frames))


@partial(jax.jit, static_argnames=("steps", "straight"))
def through(poses: Float[Array, "n 4 4"], steps: int | tuple[int, ...], straight: Straight = "centre") -> Poses:
    """Through given poses in their order: between two, rotation at constant angular speed and a straight line.

    Args:
        poses: at least two.
        steps: from each pose to the next, or one number for every leg; static. The path has one pose more than all
            steps together.
        straight: what moves in a straight line: the camera's centre, or, as the release, the world-to-camera t.

    Raises:
        InputError: fewer than two poses, or numbers of steps that are not positive or not one a leg.

    >>> through(jnp.stack([jnp.eye(4)] * 3), steps=(4, 8)).shape
    (13, 4, 4)
    """
    legs = poses.shape[0] - 1
    steps = (steps,) * legs if isinstance(steps, int) else steps
    if legs < 1:
        raise InputError("a path leads through at least two poses; one was given")
    if len(steps) != legs or min(steps) < 1:
        raise InputError(f"a path through {legs + 1} poses needs {legs} numbers of steps, each 1 or more, not {steps}")
    leg = np.append(np.repeat(np.arange(legs), steps), legs - 1)
    fraction = np.append(np.concatenate([np.arange(n) / n for n in steps]), 1.0)
    one = partial(_part_of_the_way, straight=straight)
    return jax.vmap(one)(poses[leg], poses[leg + 1], jnp.asarray(fraction, poses.dtype))


@jax.jit
def relative_to(path: Poses, pose: Pose) -> Poses:
    """The same motion of the camera, beginning at `pose` instead of at the path's first pose.

    >>> pose = orbit(60, 70, 30, 2)[1]
    >>> bool(jnp.allclose(relative_to(orbit(60, 70, 1, 3), pose)[0], pose, atol=1e-4))
    True
    """
    moved = jax.vmap(lambda later: relative_pose(path[0], later))(path)
    return jnp.matmul(moved, pose, precision=lax.Precision.HIGHEST)


def camera_centres(poses: Poses) -> Float[Array, "f 3"]:
    """Where the cameras stand in the world: -R^T t."""
    return jax.vmap(lambda pose: -apply(pose[:3, :3].T, pose[:3, 3]))(poses)


def look_at_origin(positions: Float[Array, "f 3"]) -> Poses:
    """Poses of cameras at `positions` that look at the origin."""
    return jax.vmap(lambda position: look_at(position, jnp.zeros_like(position)))(positions)


def _part_of_the_way(start: Pose, end: Pose, fraction: ScalarLike, straight: Straight) -> Pose:
    rotation = slerp(start[:3, :3], end[:3, :3], fraction)
    ends = jnp.stack([start, end])
    points = camera_centres(ends) if straight == "centre" else ends[:, :3, 3]
    point = points[0] + fraction * (points[1] - points[0])
    return pose_matrix(rotation, -apply(rotation, point) if straight == "centre" else point)


def path_fractions(frames: int) -> Float[Array, "f"]:
    """0 for the first frame, 1 for the last, in equal steps.

    Raises:
        InputError: `frames` is less than 1.
    """
    _check(frames)
    return jnp.arange(frames) / max(frames - 1, 1)


def _check(frames: int) -> None:
    if frames < 1:
        raise InputError(f"a camera path needs at least one frame, not {frames}")
