"""A depth map as small planes, one a pixel: where the surface is, how it leans, and where it tears.

Along a plane the *inverse* depth is linear in the pixel, whatever the camera. So a pixel's plane is its inverse depth
and two slopes, and how it moves to another camera is a homography known in closed form.
"""

import math
from collections.abc import Iterator

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from nvs_jax.geometry.cameras import Matrix
from nvs_jax.geometry.masks import smoothstep
from nvs_jax.geometry.specks import fill_specks
from nvs_jax.pytree import pytree

_TILT = 83.0  # what a surface may have across a speck where nothing tears
_STEEPEST = 0.5  # relative change of inverse depth per pixel, so that a plane stays in front of its camera


@pytree
class Surfaces:
    """One plane per pixel.

    Attributes:
        inverse: 1/z at the pixel's centre; 0 where nothing is seen.
        slope_x: change of 1/z from one column to the next.
        slope_y: change of 1/z from one row to the next.
        seen: pixels that have a depth, their own or, in specks, that of the surface around.
        whole: seen pixels whose four neighbours lie on the same surface. The others hold colours of two surfaces, and
            often a depth between them: they hide what is behind, but show nothing.
    """

    inverse: Float[Array, "h w"]
    slope_x: Float[Array, "h w"]
    slope_y: Float[Array, "h w"]
    seen: Bool[Array, "h w"]
    whole: Bool[Array, "h w"]


def fit_surfaces(depth: Float[Array, "h w"], intrinsics: Matrix, max_tilt: float | None) -> Surfaces:
    """Planes through every pixel's depth.

    A slope is the smaller of the differences to both neighbours: the one that does not cross an edge. Differentiable;
    where the two differences have the same size, the slope of a surface that bends has a kink.

    Args:
        depth: z in the camera; pixels without a positive, finite one are not seen, unless `fill_specks` fills them.
        intrinsics: K.
        max_tilt: see `tears`; None: surfaces never tear.
    """
    inverse = known_inverse(depth, intrinsics, max_tilt)
    seen = inverse > 0
    whole = seen & ~tears(inverse, intrinsics, max_tilt) if max_tilt is not None else seen
    limit = _STEEPEST * inverse
    slope_y, slope_x = (jnp.clip(_slope(inverse, axis), -limit, limit) for axis in (0, 1))
    return Surfaces(inverse, slope_x, slope_y, seen, whole)


def known_inverse(depth: Float[Array, "h w"], intrinsics: Matrix, max_tilt: float | None) -> Float[Array, "h w"]:
    """1/z, specks filled; 0 where depth is unknown: not finite, or not positive."""
    known = jnp.isfinite(depth) & (depth > 0)
    inverse = jnp.where(known, 1 / jnp.where(known, depth, 1), 0)
    slope = math.tan(math.radians(_TILT if max_tilt is None else max_tilt))
    return fill_specks(inverse, known, (slope / intrinsics[1, 1], slope / intrinsics[0, 0]))


def tears(inverse: Float[Array, "h w"], intrinsics: Matrix, max_tilt: float) -> Bool[Array, "h w"]:
    """Pixels on either side of a jump in depth.

    A jump is a change, from one pixel to the next, that only a surface tilted by more than `max_tilt` degrees away
    from facing the camera could make. Given as an angle, the threshold holds at every resolution, and also
    finds edges that an estimator has blurred.
    """
    torn = jnp.zeros(inverse.shape, bool)
    for change, least, ends in _changes(inverse, intrinsics, max_tilt):
        torn |= jnp.pad(change > least, ends)
    return torn


def firmness(inverse: Float[Array, "h w"], intrinsics: Matrix, max_tilt: float) -> Float[Array, "h w"]:
    """`tears` without yes or no: 1 where every change is at most half a jump, 0 at one and a half, smooth between.

    A pixel that is seen beside one that is not, has a jump; those that are not seen are 0.
    """
    firm = (inverse > 0).astype(inverse.dtype)
    for change, least, ends in _changes(inverse, intrinsics, max_tilt):
        torn = change >= 2 * least
        jumps = jnp.where(torn, 2, change / jnp.where(torn, 1, least))
        firm *= 1 - jnp.pad(smoothstep(jumps - 0.5), ends)
    return firm


def _changes(
    inverse: Float[Array, "h w"], intrinsics: Matrix, max_tilt: float
) -> Iterator[tuple[Array, Array, list[tuple[int, int]]]]:
    """Change and least jump of all pairs of neighbours, twice an axis: padded by `ends` at the first, at the second."""
    for axis, focal in ((0, intrinsics[1, 1]), (1, intrinsics[0, 0])):
        before, after = _pairs(inverse, axis)
        limit = math.tan(math.radians(max_tilt)) / focal
        for side in ((0, 1), (1, 0)):
            ends = [(0, 0), (0, 0)]
            ends[axis] = side
            yield jnp.abs(after - before), limit * jnp.minimum(before, after), ends


def _pairs(x: Array, axis: int) -> tuple[Array, Array]:
    """All but the last and all but the first along an axis."""
    size = x.shape[axis]
    return lax.slice_in_dim(x, 0, size - 1, axis=axis), lax.slice_in_dim(x, 1, size, axis=axis)


def _slope(x: Float[Array, "h w"], axis: int) -> Float[Array, "h w"]:
    """The smaller of the differences to the neighbour before and after; at the border there is one."""
    if x.shape[axis] < 2:
        return jnp.zeros_like(x)
    difference = jnp.diff(x, axis=axis)
    size = x.shape[axis] - 1
    first, last = (lax.slice_in_dim(difference, at, at + 1, axis=axis) for at in (0, size - 1))
    before, after = jnp.concatenate([first, difference], axis), jnp.concatenate([difference, last], axis)
    return jnp.where(jnp.abs(before) < jnp.abs(after), before, after)
