"""How far every pixel of a target view lies from where the given view sees the same point: |dp| of each pixel.

The expansion (8) that the warp's error is bounded by is around a pixel's own displacement; a camera's is a stand-in.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.geometry.cameras import Matrix, Pose, project, relative_pose, transform, unproject
from nvs_jax.geometry.depth_completion import splat_depth
from nvs_jax.settings import WarpSettings

_DEFAULT = WarpSettings()


def pixel_displacements(
    depth: Float[Array, "*f h w"],
    intrinsics: Matrix,
    source_pose: Pose,
    target_poses: Float[Array, "f 4 4"],
    settings: WarpSettings = _DEFAULT,
    target_intrinsics: Float[Array, "f 3 3"] | None = None,
) -> Float[Array, "f h w"]:
    """|dp| in pixels of every pixel of every target view; the frame's largest where the given view shows nothing.

    Args:
        depth: z in the source camera, infinite where unknown; the same for all frames or one a frame.
        intrinsics: K of the source, and of the targets unless `target_intrinsics` is given.
        source_pose: world-to-camera.
        target_poses: world-to-camera.
        settings: of the warp that carries the depth to the target views.
        target_intrinsics: K of every target, where the camera zooms: a point that a zoom keeps in its place has not
            moved.
    """

    def one(depth: Float[Array, "h w"], target_pose: Pose, K: Matrix) -> Float[Array, "h w"]:
        carried, valid = splat_depth(depth, intrinsics, source_pose, target_pose, settings, K)
        there = _seen_from(jnp.where(valid, carried, 1.0), K, target_pose, source_pose, intrinsics)
        # The square root of 0 has no gradient; a given view's displacement is 0 all over.
        square = jnp.sum((there - _positions(depth)) ** 2, -1)
        moved = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)
        return jnp.where(valid, moved, jnp.max(moved, initial=0.0, where=valid))

    each = jnp.broadcast_to(intrinsics if target_intrinsics is None else target_intrinsics, (len(target_poses), 3, 3))
    if depth.ndim == 3:
        return jax.lax.map(lambda frame: one(*frame), (depth, target_poses, each))
    return jax.lax.map(lambda frame: one(depth, *frame), (target_poses, each))


def displacement_uncertainty(
    depth: Float[Array, "h w"],
    spread: Float[Array, "h w"],
    intrinsics: Matrix,
    pose: Pose,
    other_pose: Pose,
) -> Float[Array, "h w"]:
    """How uncertain, in pixels, the place is where another camera sees each pixel, if its depth is: |d p / d z| spread.

    Args:
        depth: z in the camera at `pose`.
        spread: the standard deviation of that depth.
        intrinsics: K of both.
        pose: world-to-camera.
        other_pose: world-to-camera.

    >>> moved = jnp.eye(4).at[0, 3].set(1.0)
    >>> flat = jnp.full((2, 2), 10.0)
    >>> K = jnp.diag(jnp.array([20.0, 20.0, 1.0]))
    >>> print(displacement_uncertainty(flat, 0.5 + 0 * flat, K, jnp.eye(4), moved).round(3))
    [[0.1 0.1]
     [0.1 0.1]]
    """

    def position(depth: Float[Array, "h w"]) -> Float[Array, "h w 2"]:
        return _seen_from(depth, intrinsics, pose, other_pose, intrinsics)

    _, change = jax.jvp(position, (depth,), (spread,))
    return jnp.linalg.norm(change, axis=-1)


def _seen_from(
    depth: Float[Array, "h w"], intrinsics: Matrix, pose: Pose, other: Pose, other_intrinsics: Matrix
) -> Float[Array, "h w 2"]:
    points = transform(relative_pose(pose, other), unproject(depth, intrinsics))
    return project(points, other_intrinsics)[0]


def _positions(picture: Float[Array, "h w"]) -> Float[Array, "h w 2"]:
    """(x, y) of every pixel."""
    height, width = picture.shape
    return jnp.stack(jnp.meshgrid(jnp.arange(width), jnp.arange(height)), -1).astype(picture.dtype)
