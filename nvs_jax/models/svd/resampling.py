"""Halving and doubling of pictures [n, h, w, c], each with a learned 3x3 convolution."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import Conv


class Downsample2D(nnx.Module):
    """A convolution of stride 2.

    Args:
        channels: of the input and the output.
        padding: (before, after) of each axis; the UNet pads by one on both sides, the VAE's encoder only after.
    """

    def __init__(self, channels: int, padding: tuple[int, int] = (1, 1)):
        self.conv = Conv(channels, channels, (3, 3), stride=2, padding=(padding, padding))

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h//2 w//2 c"]:
        """Halve rows and columns."""
        return self.conv(x)


class Upsample2D(nnx.Module):
    """Every cell becomes 2x2 equal ones, then a convolution."""

    def __init__(self, channels: int):
        self.conv = Conv(channels, channels, (3, 3))

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n 2*h 2*w c"]:
        """Double rows and columns."""
        return self.conv(jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2))
