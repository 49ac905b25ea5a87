"""Camera paths: world-to-camera poses [F,4,4], of which the first is the given view's.

`frames` is static; everything else may be traced and differentiated.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, ScalarLike

from nvs_jax.errors import InputError
from nvs_jax.geometry.cameras import Point, Pose, as_float, look_at, pose_matrix
from nvs_jax.geometry.rotations import slerp

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
    _check(frames)
    angles = jnp.deg2rad(as_float(step_degrees)) * jnp.arange(frames) * (-1 if inverse else 1)
    x, z = as_float(radius_x) * jnp.sin(angles), as_float(radius_z) * jnp.cos(angles)
    return look_at_origin(jnp.stack([x, jnp.zeros_like(x), z], axis=-1))


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
    _check(frames)
    start = as_float(start_radius) * jnp.array([1.0, 0.0, 0.0])
    return look_at_origin(start + _fractions(frames)[:, None] * (as_float(end) - start))


@partial(jax.jit, static_argnames="frames")
def between(start: Pose, end: Pose, frames: int) -> Poses:
    """From one pose to another, both included: rotation at constant angular speed, world-to-camera t linear.

    As the release: it is the translation *t* that moves in a straight line, not the camera's centre.

    Raises:
        InputError: `frames` is less than 1.
    """
    _check(frames)

    def pose(fraction: Float[Array, ""]) -> Pose:
        translation = start[:3, 3] + fraction * (end[:3, 3] - start[:3, 3])
        return pose_matrix(slerp(start[:3, :3], end[:3, :3], fraction), translation)

    return jax.vmap(pose)(_fractions(frames))


def look_at_origin(positions: Float[Array, "f 3"]) -> Poses:
    """Poses of cameras at `positions` that look at the origin."""
    return jax.vmap(lambda position: look_at(position, jnp.zeros_like(position)))(positions)


def _fractions(frames: int) -> Float[Array, "f"]:
    """0 for the first frame, 1 for the last."""
    return jnp.arange(frames) / max(frames - 1, 1)


def _check(frames: int) -> None:
    if frames < 1:
        raise InputError(f"a camera path needs at least one frame, not {frames}")
