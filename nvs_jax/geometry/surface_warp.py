"""Warp by small planes: depth goes forward, colour comes back.

Splatting colours blurs them, and lets the background shine through where the foreground is magnified. Here only depth
is splatted (the nearest wins); every target pixel then finds the plane it sees, meets it exactly, and takes its colour
from the source by interpolation.

With q = A s + b/z (source pixel s = (x, y, 1), A = K_t R K_s^-1, b = K_t t) a point's homogeneous target pixel, a plane
1/z = n.s makes q = (A + b n^T) s: one homography a plane, inverted by Sherman and Morrison's formula.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import product
from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from nvs_jax.geometry.blocks import in_blocks
from nvs_jax.geometry.cameras import Matrix, Pose, Vector, apply, invert
from nvs_jax.geometry.masks import smallest_around
from nvs_jax.geometry.sampling import FinePicture, refine, sample
from nvs_jax.geometry.surfaces import Surfaces, fit_surfaces
from nvs_jax.pytree import pytree

_CORNERS = (-0.25, 0.25)  # a pixel's plane is splatted as four points: without gaps up to twice its size
_LEAST_KNOWN = 0.1


@pytree
class SurfaceSource:
    """A picture with depth, ready to be seen from anywhere: made once for all target poses."""

    picture: FinePicture
    surfaces: Surfaces


class Transfer(NamedTuple):
    """From source pixels to target pixels: q = A s + b/z."""

    matrix: Matrix
    vector: Vector


class Hit(NamedTuple):
    """Where the rays of target pixels meet planes of the source."""

    x: Float[Array, "h w"]
    y: Float[Array, "h w"]
    depth: Float[Array, "h w"]
    whole: Bool[Array, "h w"]
    facing: Bool[Array, "h w"]
    offset: Float[Array, "h w"]
    """How far, in pixels along x or y, from the middle of the plane's own pixel."""


def surface_source(
    picture: Float[Array, "h w 3"], depth: Float[Array, "h w"], intrinsics: Matrix, max_tilt: float | None
) -> SurfaceSource:
    """Prepare a picture with depth. See `fit_surfaces`."""
    surfaces = fit_surfaces(depth, intrinsics, max_tilt)
    return SurfaceSource(refine(picture, surfaces.whole), surfaces)


def transfer(relative: Pose, intrinsics: Matrix, target_intrinsics: Matrix) -> Transfer:
    """The transfer of a relative pose (source to target camera)."""
    to_ray = invert(intrinsics)
    rotated = jnp.stack([apply(relative[:3, :3], column) for column in to_ray.T], axis=1)
    matrix = jnp.stack([apply(target_intrinsics, column) for column in rotated.T], axis=1)
    return Transfer(matrix, apply(target_intrinsics, relative[:3, 3]))


def surface_warp(
    source: SurfaceSource, to_target: Transfer, tolerance: float
) -> tuple[Float[Array, "3 h w"], Bool[Array, "h w"]]:
    """The source from another camera, and which pixels of that are valid.

    Differentiable in colour, depth, poses and intrinsics as long as every pixel sees the same plane: which one it sees
    jumps at the borders of surfaces, and, by no more than the planes' misfit, from pixel to pixel.

    Args:
        source: from `surface_source`.
        to_target: from `transfer`.
        tolerance: a plane must be met this near to the depth that was splatted, relative to it.
    """
    surfaces = source.surfaces
    height, width = surfaces.inverse.shape
    nearest = nearest_depth(surfaces, to_target)
    nearest = lax.stop_gradient(behind_gaps(surfaces, to_target, nearest, tolerance))

    def look(depth: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
        hit = meet(surfaces, to_target, depth, x, y)
        inside = (hit.x >= -0.5) & (hit.x < width - 0.5) & (hit.y >= -0.5) & (hit.y < height - 0.5)
        return hit.x, hit.y, hit.whole & inside & (hit.offset <= 1) & _at(hit, depth, tolerance)

    x, y, valid = in_blocks(look, nearest, *_grid(nearest))
    colour, known = sample(source.picture, x, y)
    valid &= known > _LEAST_KNOWN
    return jnp.where(valid, jnp.clip(colour, 0, 1), 0), valid


def nearest_depth(surfaces: Surfaces, to_target: Transfer) -> Float[Array, "h w"]:
    """Depth in the target camera of the nearest plane that falls on each pixel; infinite where none does."""
    height, width = surfaces.inverse.shape
    x, y = _grid(surfaces.inverse)
    a, b = to_target
    nearest = jnp.full(height * width, jnp.inf, x.dtype)
    for down, across in product(_CORNERS, _CORNERS):
        inverse = surfaces.inverse + across * surfaces.slope_x + down * surfaces.slope_y
        u, v, w = (a[i, 0] * (x + across) + a[i, 1] * (y + down) + a[i, 2] + b[i] * inverse for i in range(3))
        ahead = surfaces.seen & (w > 0)
        shrink = 1 / jnp.where(ahead, w, 1)
        column, row = (jnp.round(jnp.where(ahead, p * shrink, -1)) for p in (u, v))
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        cell = jnp.where(inside, cell_number(row, column, width), height * width)
        depth = w / jnp.where(surfaces.seen, inverse, 1)
        nearest = nearest.at[cell.reshape(-1)].min(depth.reshape(-1), mode="drop")
    return nearest.reshape(height, width)


def behind_gaps(
    surfaces: Surfaces, to_target: Transfer, nearest: Float[Array, "h w"], tolerance: float
) -> Float[Array, "h w"]:
    """The splatted depth with gaps in magnified surfaces closed, so that nothing shows through them.

    A pixel has a gap where it lies on the own square of the plane at the nearest depth within a pixel, and that plane
    is nearer than what was splatted there.
    """

    def close(nearest: Array, around: Array, x: Array, y: Array) -> Array:
        near = meet(surfaces, to_target, around, x, y)
        in_gap = (near.offset <= 0.5) & _at(near, around, tolerance) & (near.depth < (1 - 1e-3) * nearest)
        return jnp.where(in_gap, around, nearest)

    return in_blocks(close, nearest, smallest_around(nearest, 3), *_grid(nearest))


def meet(
    surfaces: Surfaces, to_target: Transfer, depth: Float[Array, "h w"], x: Float[Array, "h w"], y: Float[Array, "h w"]
) -> Hit:
    """Send the rays of target pixels (x, y) to the plane of the source pixel seen at a rough `depth` along them."""
    height, width = surfaces.inverse.shape
    inverse_matrix = invert(to_target.matrix)
    back = apply(inverse_matrix, to_target.vector)
    ray = [row[0] * x + row[1] * y + row[2] for row in inverse_matrix]

    rough = [r - b / depth for r, b in zip(ray, back, strict=True)]
    ahead = rough[2] > 0
    shrink = 1 / jnp.where(ahead, rough[2], 1)
    column = lax.stop_gradient(jnp.clip(jnp.round(rough[0] * shrink), 0, width - 1))
    row = lax.stop_gradient(jnp.clip(jnp.round(rough[1] * shrink), 0, height - 1))
    cell = cell_number(row, column, width)

    inverse, slope_x, slope_y, whole = (
        part.reshape(-1).at[cell].get(mode="promise_in_bounds")
        for part in (surfaces.inverse, surfaces.slope_x, surfaces.slope_y, surfaces.whole)
    )
    normal = (slope_x, slope_y, inverse - slope_x * column - slope_y * row)
    bent = 1 + _dot(normal, back)  # the homography's determinant: negative where the plane is seen from behind
    share = _dot(normal, ray) / jnp.where(bent > 0, bent, 1)  # inverse depth in the target
    u, v, w = (r - b * share for r, b in zip(ray, back, strict=True))
    facing = (bent > 0) & (w > 0) & (share > 0) & ahead
    shrink = 1 / jnp.where(facing, w, 1)
    u, v = u * shrink, v * shrink
    offset = jnp.maximum(jnp.abs(u - column), jnp.abs(v - row))
    return Hit(u, v, 1 / jnp.where(facing, share, 1), whole, facing, offset)


def cell_number(row: Float[Array, "h w"], column: Float[Array, "h w"], width: int) -> Int[Array, "h w"]:
    """Where whole rows and columns stand in a flattened picture, counted in integers: float32 ends at 16.8 million."""
    return row.astype(jnp.int32) * width + column.astype(jnp.int32)


def _at(hit: Hit, depth: Float[Array, "h w"], tolerance: float) -> Bool[Array, "h w"]:
    return hit.facing & jnp.isfinite(depth) & (jnp.abs(hit.depth - depth) < tolerance * depth)


def _grid(like: Float[Array, "h w"]) -> tuple[Float[Array, "h w"], Float[Array, "h w"]]:
    """Column and row of every pixel."""
    height, width = like.shape
    x, y = jnp.meshgrid(jnp.arange(width, dtype=like.dtype), jnp.arange(height, dtype=like.dtype))
    return x, y


def _dot(one: Sequence[Array], other: Sequence[Array] | Array) -> Array:
    return reduce(jnp.add, (a * b for a, b in zip(one, other, strict=True)))
