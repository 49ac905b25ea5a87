"""Disparity of unknown scale and shift becomes depth in scene units: an orbit turns around what is in the middle."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.settings import DisparitySettings

_SAMPLES = 2**18
"""Pixels that percentiles are taken of: sorting all of a video's would take longer than warping them."""


@partial(jax.jit, static_argnames="settings")
def disparity_to_scene(
    disparity: Float[Array, "f h w"],
    distance: Float[Array, ""] | float,
    settings: DisparitySettings = DisparitySettings(),  # noqa: B008
) -> Float[Array, "f h w"]:
    """Depth of disparity maps that share one scale and shift.

    With d_near and d_far the disparities at the two percentiles (where these are equal, the largest and the smallest of
    all), limited to which d is, and r the smaller of `max_ratio` and d_near / d_far,

        1 / depth  ~  1/r + (1 - 1/r) (d - d_far) / (d_near - d_far).

    So disparity without a shift, whose range is less than `max_ratio`, keeps its shape: depth ~ 1 / d. Otherwise the
    shift is chosen so that the far plane is `max_ratio` times as far as the near one. The scale makes the median depth
    in the middle of the pictures equal `distance`.

    Args:
        disparity: inverse depth, not negative, all frames in the same unknown unit; 0 is the far plane, what is not
            finite is unknown.
        distance: from the camera to the point that its path turns around, in scene units.
        settings: percentiles, ratio and the middle's size.

    Returns:
        Depth in scene units, positive; infinite where the disparity is not finite, and nowhere else. Where all
        disparities are equal, all of it is `distance`.

    >>> maps = jnp.array([[[1.0, 2.0, 4.0]]])
    >>> whole = DisparitySettings(percentiles=(0, 100), centre=1.0)
    >>> disparity_to_scene(maps, 70.0, whole).round(3).tolist()
    [[[140.0, 70.0, 35.0]]]
    """
    known = jnp.isfinite(disparity)
    far, near = jnp.nanpercentile(_thinned(jnp.where(known, disparity, jnp.nan)), jnp.array(settings.percentiles))
    some = near > far  # else nearly all are equal, and the rest are beyond the percentiles
    near = jnp.where(some, near, jnp.where(known, disparity, -jnp.inf).max())
    far = jnp.where(some, far, jnp.where(known, disparity, jnp.inf).min())
    kept = jnp.clip(jnp.where(known, disparity, far), far, near)
    nearest = 1 / settings.max_ratio
    smallest = jnp.where(near > 0, jnp.clip(far / jnp.where(near > 0, near, 1), nearest, 1), 1)
    span = near - far
    share = jnp.where(span > 0, (kept - far) / jnp.where(span > 0, span, 1), 1)
    depth = 1 / (smallest + (1 - smallest) * share)
    return centred(jnp.where(known, depth, jnp.inf), distance, settings.centre)


@partial(jax.jit, static_argnames="centre")
def centred(depth: Float[Array, "f h w"], distance: Float[Array, ""] | float, centre: float) -> Float[Array, "f h w"]:
    """Depth scaled so that its median in the middle of the pictures is `distance`.

    Where none is known in the middle, the median is of all that is.

    Args:
        depth: positive; what is not finite is unknown and stays so.
        distance: in scene units.
        centre: how much of each side belongs to the middle, in (0, 1].

    >>> centred(jnp.array([[[1.0, 2.0, 9.0]]]), 6.0, 0.3).tolist()
    [[[3.0, 6.0, 27.0]]]
    """
    rows, columns = (_middle(size, centre) for size in depth.shape[1:])
    middle, whole = (_known_median(_thinned(part)) for part in (depth[:, rows, columns], depth))
    median = jnp.where(jnp.isfinite(middle), middle, whole)
    return depth * jnp.where(median > 0, distance / median, 1)


def _known_median(depth: Float[Array, "n"]) -> Float[Array, ""]:
    return jnp.nanmedian(jnp.where(jnp.isfinite(depth), depth, jnp.nan))


def _middle(size: int, share: float) -> slice:
    length = max(1, round(size * share))
    start = (size - length) // 2
    return slice(start, start + length)


def _thinned(maps: Float[Array, "f h w"]) -> Float[Array, "n"]:
    """Evenly spaced rows and columns of all maps, about as many pixels as are needed."""
    step = max(1, round((maps.size / _SAMPLES) ** 0.5))
    return maps[:, ::step, ::step].ravel()
