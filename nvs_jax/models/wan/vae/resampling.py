"""Fewer or more rows, columns and frames."""

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import Conv, NoParameters
from nvs_jax.models.wan.vae.causal import Memory, Part, after, causal, memory_of_zeros


class Downsample(nnx.Module):
    """`WanResample`: rows and columns halved, and frames where that is said; the first frame stays as it is.

    Args:
        channels: of the input and the output.
        through_time: whether frames are halved.
    """

    def __init__(self, channels: int, *, through_time: bool):
        layers: list[Any] = [NoParameters(), Conv(channels, channels, (3, 3), stride=2, padding=((0, 1), (0, 1)))]
        self.resample = nnx.List(layers)
        time_conv = Conv(channels, channels, (3, 1, 1), stride=(2, 1, 1), padding=((0, 0),) * 3)
        self.time_conv = time_conv if through_time else None

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """Halve a part."""
        y = _each_frame(self.resample[1], x)
        if self.time_conv is None:
            return y, ()
        return (y if memory is None else self.time_conv(after(memory, y))), y[:, -1:]


class Upsample(nnx.Module):
    """`WanResample`: every cell becomes 2x2, and where that is said every frame after the first two.

    Args:
        channels: of the input.
        out_channels: of the output.
        through_time: whether frames are doubled.
    """

    def __init__(self, channels: int, out_channels: int, *, through_time: bool):
        layers: list[Any] = [NoParameters(), Conv(channels, out_channels, (3, 3))]
        self.resample = nnx.List(layers)
        time_conv = Conv(channels, 2 * channels, (3, 1, 1), padding=((0, 0),) * 3)
        self.time_conv = time_conv if through_time else None

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """Double a part. The convolution through time never sees the first frame."""
        remembered: Memory = ()
        if self.time_conv is not None and memory is None:
            remembered = memory_of_zeros(x)
        elif self.time_conv is not None:
            b, t, h, w, c = x.shape
            both, remembered = causal(self.time_conv)(x, memory)
            x = both.reshape(b, t, h, w, 2, c).transpose(0, 1, 4, 2, 3, 5).reshape(b, 2 * t, h, w, c)
        doubled = jnp.repeat(jnp.repeat(x, 2, axis=2), 2, axis=3)
        return _each_frame(self.resample[1], doubled), remembered


def averaged(x: Part, channels: int, frames: int, cells: int) -> Part:
    """`AvgDown3D`: blocks of `frames` x `cells` x `cells` laid along channels, and these averaged to so many.

    Frames that are missing from the first block are zeros before it.
    """
    b, t, h, w, c = x.shape
    x = jnp.pad(x, ((0, 0), (-t % frames, 0), *((0, 0),) * 3))
    blocks = x.reshape(b, -1, frames, h // cells, cells, w // cells, cells, c).transpose(0, 1, 3, 5, 7, 2, 4, 6)
    return blocks.reshape(*blocks.shape[:4], channels, -1).mean(-1)


def repeated(x: Part, channels: int, frames: int, cells: int) -> Part:
    """`DupUp3D`: channels repeated, and laid out as blocks of `frames` x `cells` x `cells` of `channels`."""
    b, t, h, w, c = x.shape
    many = jnp.repeat(x, channels * frames * cells**2 // c, axis=-1)
    blocks = many.reshape(b, t, h, w, channels, frames, cells, cells).transpose(0, 1, 5, 2, 6, 3, 7, 4)
    return blocks.reshape(b, t * frames, h * cells, w * cells, channels)


def to_patches(x: Part, patch: int) -> Part:
    """Squares of pixels laid along channels: colours, columns, rows."""
    b, t, h, w, c = x.shape
    squares = x.reshape(b, t, h // patch, patch, w // patch, patch, c).transpose(0, 1, 2, 4, 6, 5, 3)
    return squares.reshape(b, t, h // patch, w // patch, -1)


def from_patches(x: Part, patch: int) -> Part:
    """Undo it."""
    b, t, h, w, c = x.shape
    squares = x.reshape(b, t, h, w, c // patch**2, patch, patch).transpose(0, 1, 2, 6, 3, 5, 4)
    return squares.reshape(b, t, h * patch, w * patch, -1)


def _each_frame(conv: Conv, x: Float[Array, "b t h w c"]) -> Float[Array, "b t h2 w2 d"]:
    y = conv(x.reshape(-1, *x.shape[2:]))
    return y.reshape(*x.shape[:2], *y.shape[1:])
