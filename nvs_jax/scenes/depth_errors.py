"""The ways in which an estimated depth map is wrong, to apply to an exact one: each a function of depth."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from nvs_jax.errors import InputError

_FARTHEST = 1e4  # scene units; a disparity shifted to zero or below is as far as this


def scale_and_shift(depth: Float[Array, "*n h w"], scale: ArrayLike, shift: ArrayLike) -> Float[Array, "*n h w"]:
    """Depth whose disparity (1 / depth) is off by a factor and an offset, as of monocular estimators.

    Args:
        depth: positive, scene units.
        scale: of the disparity; 1 is right.
        shift: added to the disparity, in 1 / scene units; 0 is right.

    Returns:
        `1 / (scale / depth + shift)`, at most 10,000.

    >>> scale_and_shift(jnp.array([[1.0, 2.0]]), scale=0.5, shift=0.0)
    Array([[2., 4.]], dtype=float32)
    """
    return 1 / jnp.maximum(scale / depth + shift, 1 / _FARTHEST)


def blur_edges(depth: Float[Array, "*n h w"], sigma: int | float) -> Float[Array, "*n h w"]:
    """Depth blurred by a Gaussian: discontinuities become ramps, whose points belong to no surface.

    Args:
        depth: scene units.
        sigma: standard deviation in pixels, 0 or more, a Python number; the kernel ends at 3 sigma. Beyond the border
            the depth is that of the border.

    Raises:
        InputError: sigma is negative.
    """
    if sigma < 0:
        raise InputError(f"a blur's sigma is 0 pixels or more, not {sigma}")
    reach = math.ceil(3 * sigma)
    if reach == 0:
        return depth
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = jnp.asarray(kernel / kernel.sum(), depth.dtype)

    def along_last(maps: Array) -> Array:
        lines = maps.reshape(-1, maps.shape[-1])
        padded = jnp.pad(lines, ((0, 0), (reach, reach)), mode="edge")
        return jax.vmap(lambda line: jnp.convolve(line, weights, mode="valid"))(padded).reshape(maps.shape)

    return along_last(along_last(depth).swapaxes(-1, -2)).swapaxes(-1, -2)
