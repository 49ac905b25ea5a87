"""Numbers (noise level, frame rate, motion, frame index) as vectors."""

import math

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Real

from nvs_jax.models.layers import Linear

MAX_PERIOD = 10_000


def sinusoids(positions: Real[Array, "*n"], channels: int) -> Float[Array, "*n {channels}"]:
    """Cosines, then sines, of `positions` at frequencies 1 ... 1/10000, in float32.

    Args:
        positions: any real numbers.
        channels: width of the result; if odd, the last channel is zero.

    >>> sinusoids(jnp.array([0.0]), 4)
    Array([[1., 1., 0., 0.]], dtype=float32)
    """
    half = channels // 2
    frequencies = jnp.exp(-math.log(MAX_PERIOD) / half * jnp.arange(half, dtype=jnp.float32))
    angles = positions.astype(jnp.float32)[..., None] * frequencies
    zero = jnp.zeros((*positions.shape, channels % 2), jnp.float32)
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles), zero], -1)


class TimestepEmbedding(nnx.Module):
    """Linear, SiLU, linear."""

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int):
        self.linear_1 = Linear(in_channels, hidden_channels)
        self.linear_2 = Linear(hidden_channels, out_channels)

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        """Apply both layers in the dtype of `x`."""
        return self.linear_2(jax.nn.silu(self.linear_1(x)))
