"""Holes of a picture filled with what surrounds them, smoothly: push and pull through a pyramid."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def fill_holes(
    pictures: Float[Array, "n h w c"], hole: Bool[Array, "n h w"] | Float[Array, "n h w"]
) -> Float[Array, "n h w c"]:
    """Pictures whose holes hold means of known pixels, of the nearer ones where there are some.

    Every level of the pyramid has half the rows and columns and the mean of what is known in four pixels (push). From
    the coarsest up, what a level does not know, or knows from less than a pixel, is taken from the level below it,
    interpolated (pull). Known pixels stay as they are; without any, all is 0.

    Args:
        pictures: what their holes hold makes no difference.
        hole: True where nothing is known; or how little is, in [0, 1], of which the result is smooth.

    >>> picture = jnp.array([[0.2, 0.0, 0.4]])[None, ..., None]
    >>> print(fill_holes(picture, jnp.array([[[False, True, False]]]))[0, 0, :, 0].round(3))
    [0.2 0.3 0.4]
    """
    weight = (1 - hole.astype(pictures.dtype))[..., None]
    levels = [(weight * jnp.where(weight > 0, pictures, 0), weight)]
    while max(levels[-1][1].shape[1:3]) > 1:
        levels.append((_sum_of_four(levels[-1][0]), _sum_of_four(levels[-1][1])))
    filled = jnp.zeros_like(levels[-1][0])
    for total, weight in reversed(levels):
        below = jax.image.resize(filled, total.shape, "linear")
        filled = total / jnp.maximum(weight, 1) + jnp.maximum(1 - weight, 0) * below
    return filled


def _sum_of_four(x: Float[Array, "n h w c"]) -> Float[Array, "n h2 w2 c"]:
    """Of two by two neighbours; an odd row or column at the end has no neighbour."""
    return jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 2, 2, 1), (1, 2, 2, 1), _to_even(x))


def _to_even(x: Float[Array, "n h w c"]) -> tuple[tuple[int, int], ...]:
    return ((0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2), (0, 0))
