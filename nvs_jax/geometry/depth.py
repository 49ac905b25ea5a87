"""Depth from what depth estimators and files give."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def disparity_to_depth(
    disparity: Float[Array, "*n"],
    far: float = 500.0,
    scale: float = 10000.0,
    smallest: float = 1e-5,
    near: float = 1e-4,
) -> Float[Array, "*n"]:
    """Depth `scale / disparity`, limited to [near, far], as the release.

    Args:
        disparity: inverse depth up to scale; zero or less means infinitely far.
        far: largest depth, in scene units; the release takes 500 for one view and 10000 for video.
        scale: depth at a disparity of 1.
        smallest: disparities below this count as this.
        near: smallest depth.

    >>> disparity_to_depth(jnp.array([0.0, 50.0, 100.0])).tolist()
    [500.0, 200.0, 100.0]
    """
    return jnp.clip(scale / jnp.maximum(disparity, smallest), near, far)
