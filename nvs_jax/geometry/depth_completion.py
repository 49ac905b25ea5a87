"""Depth carried to another pose, and its holes filled with background: what a rendered frame needs to be warped on.

No estimator is asked: what a hole uncovers is taken to continue what lies farther away around it.
"""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from nvs_jax.geometry.cameras import Matrix, Pose, relative_pose, transform, unproject
from nvs_jax.geometry.warp import warp_one
from nvs_jax.settings import WarpSettings

_PREFERENCE = 4  # for the shorter way across a hole; measured on procedural scenes


@partial(jax.jit, static_argnames="settings")
def splat_depth(
    depth: Float[Array, "h w"],
    intrinsics: Matrix,
    source_pose: Pose,
    target_pose: Pose,
    settings: WarpSettings,
    target_intrinsics: Matrix | None = None,
) -> tuple[Float[Array, "h w"], Bool[Array, "h w"]]:
    """Depth as the camera at another pose sees it: the warp of a picture whose colour is disparity.

    Disparity, 1 / z, for on a plane it is linear in the picture, so that interpolating it is right.

    Args:
        depth: z in the source camera, in scene units; what is not finite is left out.
        intrinsics: K of the source, and of the target unless `target_intrinsics` is given.
        source_pose: world-to-camera.
        target_pose: world-to-camera.
        settings: of the warp; depths are not rounded.
        target_intrinsics: K of the target, if another.

    Returns:
        z in the target camera, 0 where nothing fell; and where it can be trusted.
    """
    seen = jnp.isfinite(depth)
    points = unproject(jnp.where(seen, depth, 1), intrinsics)
    z = transform(relative_pose(source_pose, target_pose), points)[..., 2]
    ahead = seen & (z > 0)
    near = lax.stop_gradient(jnp.where(ahead, z, jnp.inf).min())  # colours lie in [0, 1]
    near = jnp.where(jnp.isfinite(near), near, 1)
    colour = jnp.where(ahead, near / jnp.where(ahead, z, 1), 0)
    colour = jnp.broadcast_to(colour[..., None], (*z.shape, 3))
    exact = replace(settings, quantize=False)
    warp = warp_one(colour, depth, intrinsics, source_pose, target_pose, exact, target_intrinsics)
    carried = warp.pictures[..., 0]
    valid = warp.valid & (carried > 0)
    return jnp.where(valid, near / jnp.where(valid, carried, 1), 0), valid


@jax.jit
def complete_depth(
    depth: Float[Array, "h w"], valid: Bool[Array, "h w"], same_surface: float | Float[Array, ""] = 0.1
) -> Float[Array, "h w"]:
    """Fill holes with the background beside them.

    Each pixel of a hole looks along its row and its column to where the hole ends. If both ends are one surface, it
    lies between them; if not, what stands in front has uncovered what is behind, and the farther one goes on. Of row
    and column the one that crosses the hole in fewer pixels counts more: what a moving camera uncovers are strips.

    Args:
        depth: z, positive where valid; what it holds elsewhere does not matter.
        valid: where it is known; if nowhere, the result is 1.
        same_surface: disparities (1 / z) that differ by less than this share of the larger one are one surface.

    Returns:
        Depth without holes, equal to `depth` where that is valid.
    """
    disparity, known = jnp.where(valid, 1 / jnp.where(valid, depth, 1), 0), valid
    # Where neither row nor column has a valid pixel, both have what the first round filled.
    for _ in range(2):
        values, weights = zip(*(_from_ends(disparity, known, axis, same_surface) for axis in (0, 1)), strict=True)
        total = weights[0] + weights[1]
        mean = (values[0] * weights[0] + values[1] * weights[1]) / jnp.where(total > 0, total, 1)
        disparity, known = jnp.where(known, disparity, mean), known | (total > 0)
    return jnp.where(valid, depth, 1 / jnp.where(known, disparity, 1))


def _from_ends(
    disparity: Float[Array, "h w"], known: Bool[Array, "h w"], axis: int, same_surface: float | Float[Array, ""]
) -> tuple[Float[Array, "h w"], Float[Array, "h w"]]:
    """What a hole's two ends along one axis say about each pixel of it, and the weight of that: 0 without any end."""
    size = known.shape[axis]
    here = lax.broadcasted_iota(jnp.int32, known.shape, axis)
    before = lax.cummax(jnp.where(known, here, -1), axis)
    after = lax.cummin(jnp.where(known, here, size), axis, reverse=True)
    first, second = (jnp.take_along_axis(disparity, jnp.clip(end, 0, size - 1), axis) for end in (before, after))
    # A hole that runs out of the picture has one end: it counts as the other, as far away.
    opens, closes = before >= 0, after < size
    first, second = jnp.where(opens, first, second), jnp.where(closes, second, first)
    to_first, to_second = here - before, after - here
    to_first, to_second = jnp.where(opens, to_first, to_second), jnp.where(closes, to_second, to_first)
    gap = jnp.maximum(to_first + to_second, 1).astype(disparity.dtype)
    between = first + (second - first) * (to_first / gap)
    farther = jnp.minimum(first, second)
    together = farther >= jnp.maximum(first, second) * (1 - same_surface)
    return jnp.where(together, between, farther), jnp.where(opens | closes, gap**-_PREFERENCE, 0)
