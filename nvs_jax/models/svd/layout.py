"""How video activations [batch, frame, row, column, channel] are folded for layers that see less than a video.

Every change of layout in the networks is made here, so that this is the place to say how they are sharded.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float


def per_frame(
    layer: Callable[..., Array], x: Float[Array, "b f *size c"], *shared: Array
) -> Float[Array, "b f *out d"]:
    """Apply `layer` to every frame on its own, by folding frames into the batch.

    Args:
        layer: takes [n, *size, c] and what is shared, one row for each n.
        x: a batch of videos.
        shared: arrays [b, ...] that all frames of a batch element have in common.
    """
    b, f = x.shape[:2]
    y = layer(x.reshape(b * f, *x.shape[2:]), *(jnp.repeat(array, f, axis=0) for array in shared))
    return y.reshape(b, f, *y.shape[1:])


def over_space(block: Callable[[Array], Array], x: Float[Array, "b f h w c"]) -> Float[Array, "b f h w c"]:
    """Apply `block` to the sequences of locations of each frame: [b*f, h*w, c], batch element major."""
    b, f, h, w, c = x.shape
    return block(x.reshape(b * f, h * w, c)).reshape(x.shape)


def over_time(block: Callable[[Array], Array], x: Float[Array, "b f h w c"]) -> Float[Array, "b f h w c"]:
    """Apply `block` to the sequences of frames at each location: [b*h*w, f, c], batch element major."""
    b, f, h, w, c = x.shape
    y = block(x.transpose(0, 2, 3, 1, 4).reshape(b * h * w, f, c))
    return y.reshape(b, h, w, f, c).transpose(0, 3, 1, 2, 4)
