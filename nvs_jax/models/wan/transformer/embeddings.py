"""Latents, time, prompt and picture in the width of the transformer."""

import math

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.embeddings import TimestepEmbedding, sinusoids
from nvs_jax.models.layers import LayerNorm, Linear, NoParameters, gelu, parameter
from nvs_jax.models.wan.config import TransformerConfig
from nvs_jax.models.wan.transformer.attention import Told

MODULATIONS = 6
"""Shift, scale and gate of the self-attention, and of the feed-forward."""


class PatchEmbedding(nnx.Module):
    """Patches of latents, each a token: a convolution whose steps are as large as its kernel."""

    def __init__(self, channels: int, width: int, patch: tuple[int, ...]):
        self.patch = patch
        self.weight = parameter(*patch, channels, width, published_axes=(2, 3, 4, 1, 0))
        self.bias = parameter(width)

    def __call__(self, x: Float[Array, "b f h w i"]) -> Float[Array, "b t r s c"]:
        """Tokens by frame, row and column."""
        (b, f, h, w, i), (t, r, s) = x.shape, self.patch
        patches = x.reshape(b, f // t, t, h // r, r, w // s, s, i).transpose(0, 1, 3, 5, 2, 4, 6, 7)
        weight = self.weight[...].astype(x.dtype).reshape(t * r * s * i, -1)
        return patches.reshape(*patches.shape[:4], -1) @ weight + self.bias[...].astype(x.dtype)


def from_patches(y: Float[Array, "b t r s k"], patch: tuple[int, ...]) -> Float[Array, "b f h w o"]:
    """Latents out of the patches that tokens have become."""
    (b, f, h, w, k), (t, r, s) = y.shape, patch
    latents = y.reshape(b, f, h, w, t, r, s, k // math.prod(patch)).transpose(0, 1, 4, 2, 5, 3, 6, 7)
    return latents.reshape(b, f * t, h * r, w * s, -1)


class TextProjection(nnx.Module):
    """Linear, GELU (by tanh), linear."""

    def __init__(self, channels: int, width: int):
        self.linear_1 = Linear(channels, width)
        self.linear_2 = Linear(width, width)

    def __call__(self, x: Float[Array, "b s d"]) -> Float[Array, "b s c"]:
        """Apply both layers."""
        return self.linear_2(jax.nn.gelu(self.linear_1(x), approximate=True))


class _Activated(nnx.Module):
    """A linear layer, named as published."""

    def __init__(self, in_channels: int, out_channels: int):
        self.proj = Linear(in_channels, out_channels)

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        return self.proj(x)


class FeedForward(nnx.Module):
    """Linear, GELU, linear.

    Args:
        in_channels: of the input.
        hidden_channels: between the layers.
        out_channels: of the output.
        by_tanh: whether GELU is the approximation by tanh.
    """

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int, *, by_tanh: bool):
        self.by_tanh = by_tanh
        self.net = nnx.List(
            [_Activated(in_channels, hidden_channels), NoParameters(), Linear(hidden_channels, out_channels)]
        )

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        """Apply both layers."""
        hidden = self.net[0](x)
        return self.net[2](jax.nn.gelu(hidden, approximate=True) if self.by_tanh else gelu(hidden))


class ImageEmbedding(nnx.Module):
    """Tokens of CLIP's image encoder in the width of the transformer."""

    def __init__(self, channels: int, width: int):
        self.norm1 = LayerNorm(channels)
        self.ff = FeedForward(channels, channels, width, by_tanh=False)
        self.norm2 = LayerNorm(width)

    def __call__(self, x: Float[Array, "b t d"]) -> Float[Array, "b t c"]:
        """Normalise, apply both layers, normalise."""
        return self.norm2(self.ff(self.norm1(x)))


class ConditionEmbedder(nnx.Module):
    """`WanTimeTextImageEmbedding`."""

    def __init__(self, config: TransformerConfig):
        width = config.width
        self.frequencies = config.freq_dim
        self.time_embedder = TimestepEmbedding(config.freq_dim, width, width)
        self.time_proj = Linear(width, MODULATIONS * width)
        self.text_embedder = TextProjection(config.text_dim, width)
        self.image_embedder = None if config.image_dim is None else ImageEmbedding(config.image_dim, width)

    def time(
        self, timestep: Float[Array, "b f"], dtype: jnp.dtype
    ) -> tuple[Float[Array, "b f c"], Float[Array, "b f 6 c"]]:
        """The time of each frame as a vector, and the modulations of all layers before each adds its own."""
        vector = self.time_embedder(sinusoids(timestep, self.frequencies)).astype(dtype)
        modulation = self.time_proj(jax.nn.silu(vector))
        return vector, modulation.reshape(*modulation.shape[:2], MODULATIONS, -1)

    def told(self, text: Float[Array, "b s d"], image: Float[Array, "b t e"] | None) -> Told:
        """Prompt and picture, in the width of the transformer."""
        seen = None if self.image_embedder is None or image is None else self.image_embedder(image)
        return Told(self.text_embedder(text), seen)
