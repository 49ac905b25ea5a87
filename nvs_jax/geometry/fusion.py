"""Several posed views of a scene warped to one path: what one does not see another may, and the nearer surface wins."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from nvs_jax.errors import InputError
from nvs_jax.geometry.cameras import Matrix, Pose, length
from nvs_jax.geometry.depth_completion import splat_depth
from nvs_jax.geometry.masks import dilate
from nvs_jax.geometry.trajectories import Poses, camera_centres
from nvs_jax.geometry.warp import Warp, warp_one
from nvs_jax.settings import WarpSettings

_DEFAULT = WarpSettings()


class Sources(NamedTuple):
    """S posed views of a scene; indexing every field gives one of them.

    Attributes:
        pictures: in [0, 1].
        depths: z in scene units; infinite where unknown.
        intrinsics: K of each, in pixels.
        poses: world-to-camera.
    """

    pictures: Float[Array, "*s H W 3"]
    depths: Float[Array, "*s H W"]
    intrinsics: Float[Array, "*s 3 3"]
    poses: Float[Array, "*s 4 4"]


@partial(jax.jit, static_argnames=("count", "settings"))
def warp_nearest(
    sources: Sources,
    target_poses: Float[Array, "f 4 4"],
    target_intrinsics: Float[Array, "*frames 3 3"],
    count: int = 2,
    settings: WarpSettings = _DEFAULT,
) -> Warp:
    """Warp to every target pose the sources whose cameras are nearest to it, and fuse them.

    One compiled program for all frames; which sources a frame takes is data.

    Args:
        sources: S views; depth that is not finite is left out.
        target_poses: world-to-camera.
        target_intrinsics: K of all target frames, or one for each.
        count: sources a frame is made of, at most S.
        settings: of the warps; surfaces within `depth_tolerance` of the nearest are the same one. What is a hole in
            all of them is dilated by `dilation`.

    Raises:
        InputError: `count` is less than 1 or more than there are sources, or the numbers of intrinsics do not fit.
    """
    frames = len(target_poses)
    if not 1 <= count <= len(sources.poses):
        raise InputError(f"a frame can be made of 1 to {len(sources.poses)} of the sources, not of {count}")
    if target_intrinsics.ndim == 3 and len(target_intrinsics) != frames:
        raise InputError(f"{len(target_intrinsics)} target intrinsics for {frames} poses: give one a pose, or only one")

    def one_frame(frame: tuple[Pose, Matrix, Int[Array, "k"]]) -> Warp:
        pose, K, nearest = frame

        def one_source(index: Int[Array, ""]) -> tuple[Warp, Float[Array, "h w"]]:
            picture, depth, own, source = (array[index] for array in sources)
            carried, seen = splat_depth(depth, own, source, pose, settings, K)
            warp = warp_one(picture, depth, own, source, pose, settings, K)
            return replace(warp, valid=warp.valid & seen, hole=warp.hole | ~seen), carried

        warps, carried = jax.lax.map(one_source, nearest)
        closeness = _closeness(source_distances(sources.poses[nearest], pose[None])[:, 0])
        return fuse(warps, carried, closeness, settings)

    each = jnp.broadcast_to(target_intrinsics, (frames, 3, 3))
    order = nearest_source_order(sources.poses, target_poses)[:, :count]
    return jax.lax.map(one_frame, (target_poses, each, order))


@partial(jax.jit, static_argnames="settings")
def fuse(
    warps: Warp, depths: Float[Array, "k h w"], weights: Float[Array, "k"], settings: WarpSettings = _DEFAULT
) -> Warp:
    """One view of K that were warped to the same pose.

    A pixel is the weighted mean of those warps that are valid there and show the nearest surface. A warp in whose
    dilated hole it lies is asked only where it lies in everyone's.

    Args:
        warps: of K sources.
        depths: z in the target camera of what each of them shows; used where it is valid.
        weights: positive, how much each source is trusted.
        settings: as of the warps.
    """
    trusted = ~warps.hole
    usable = jnp.where(trusted.any(axis=0), trusted, warps.valid)
    nearest = jnp.where(usable, depths, jnp.inf).min(axis=0)
    visible = usable & (depths <= nearest * (1 + settings.depth_tolerance))
    share = visible * weights[:, None, None]
    share = share / jnp.where(visible.any(axis=0), share.sum(axis=0), 1)
    pictures = (share[..., None] * warps.pictures).sum(axis=0)
    if settings.quantize:
        pictures = jnp.round(pictures * 255) / 255
    valid = warps.valid.any(axis=0)
    return Warp(pictures=pictures, valid=valid, hole=dilate(~valid, settings.dilation))


def nearest_source_order(source_poses: Float[Array, "s 4 4"], target_poses: Poses) -> Int[Array, "f s"]:
    """For every target pose the numbers of the sources, the one whose camera's centre is nearest first.

    >>> poses = jnp.stack([jnp.eye(4).at[0, 3].set(x) for x in (0.0, 3.0, 4.0)])
    >>> nearest_source_order(poses, poses[1:2]).tolist()
    [[1, 2, 0]]
    """
    return jnp.argsort(source_distances(source_poses, target_poses), axis=0).T


def pose_distance_to_nearest(source_poses: Float[Array, "s 4 4"], target_poses: Poses) -> Float[Array, "f"]:
    """How far each target camera's centre is from that of the nearest source, in scene units."""
    return source_distances(source_poses, target_poses).min(axis=0)


def release_distance_to_nearest(left: Pose, right: Pose, target_poses: Poses) -> Float[Array, "f"]:
    """The release's |dp| for two views: between world-to-camera *translations*, not camera centres.

    To the left view for the first half of the frames, the middle one included, and to the right view for the others.
    """
    translation = target_poses[:, :3, 3]
    to_left, to_right = (length(translation - view[:3, 3]) for view in (left, right))
    frames = len(target_poses)
    return jnp.where(jnp.arange(frames) < (frames + 1) // 2, to_left, to_right)


def source_distances(source_poses: Float[Array, "s 4 4"], target_poses: Poses) -> Float[Array, "s f"]:
    """Distances between the camera centres of each source and each target."""
    sources, targets = camera_centres(source_poses), camera_centres(target_poses)
    return length(sources[:, None] - targets[None])


def _closeness(distance: Float[Array, "k"]) -> Float[Array, "k"]:
    """1 for the nearest source, less for those farther away; next to nothing where one is at the pose itself.

    It falls with the root of the distance: what compression and noise did to one picture the others still make up for.
    """
    nearest = distance.min()
    return jnp.sqrt((nearest + 1e-6) / (distance + 1e-6))
