"""Layers that see earlier frames alone, on a video that comes in parts.

Every layer here is a function of a part of a video and of what it remembers of the parts before, and gives what it
remembers after it. Nothing (None) is remembered before the first part, which is a single frame.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import Conv, parameter

Memory = Any
"""A pytree of arrays, of the same shapes after every part; None before the first."""
Part = Float[Array, "b _ _ _ _"]
"""Frames, rows, columns and channels of videos."""
Layer = Callable[[Part, Memory], tuple[Part, Memory]]


def in_order(layers: Sequence[Layer], x: Part, memory: Memory) -> tuple[Part, Memory]:
    """A part through layers, one after the other."""
    before = [None] * len(layers) if memory is None else memory
    after = []
    for layer, own in zip(layers, before, strict=True):
        x, remembered = layer(x, own)
        after.append(remembered)
    return x, after


def without_memory(function: Callable[[Part], Part]) -> Layer:
    """What sees each frame by itself, as a layer."""
    return lambda x, memory: (function(x), ())


def causal_conv(in_channels: int, out_channels: int) -> Conv:
    """A convolution of 3x3x3, to be used by `causal` alone: it is padded in space, and looks back in time."""
    return Conv(in_channels, out_channels, (3, 3, 3), padding=((0, 0), (1, 1), (1, 1)))


def causal(conv: Conv) -> Layer:
    """A convolution of three frames: this one and the two before it; those before the first are zero."""

    def layer(x: Part, memory: Memory) -> tuple[Part, Memory]:
        seen = after(memory_of_zeros(x) if memory is None else memory, x)
        return conv(seen), seen[:, -2:]

    return layer


def memory_of_zeros(x: Part) -> Part:
    """Two frames like those of `x` that were never there."""
    return jnp.zeros((len(x), 2, *x.shape[2:]), x.dtype)


def after(memory: Memory, x: Part) -> Part:
    """A part with remembered frames before it."""
    return jnp.concatenate([memory, x], axis=1)


class ChannelNorm(nnx.Module):
    """`WanRMS_norm`: division by the root of the mean square over channels, in float32, times a gain.

    Args:
        channels: of the input.
        axes: of the input between the batch and the channels.
    """

    def __init__(self, channels: int, axes: int):
        axes_before = range(1, axes + 1)
        self.gamma = parameter(*(1,) * axes, channels, published_axes=(*axes_before, 0))

    def __call__(self, x: Float[Array, "n *size c"]) -> Float[Array, "n *size c"]:
        """Normalise; the result has the dtype of `x`."""
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        length = jnp.sqrt(jnp.square(wide).sum(-1, keepdims=True))
        return (wide / jnp.maximum(length, 1e-12) * x.shape[-1] ** 0.5 * self.gamma[...]).astype(x.dtype)
