"""UMT5's encoder: a pre-norm transformer over tokens, each layer with a bias of its own by how far tokens are apart."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from nvs_jax.models.layers import Linear, RMSNorm, parameter
from nvs_jax.models.stacked import Stacked
from nvs_jax.models.umt5.config import TextEncoderConfig


class TextEncoder(nnx.Module):
    """`UMT5EncoderModel`. Parameters are named as published, but those of its layers lie side by side
    (`nvs_jax.models.stacked`)."""

    def __init__(self, config: TextEncoderConfig):
        self.shared = Table(config.vocab_size, config.d_model)
        self.encoder = Encoder(config)

    def __call__(self, tokens: Int[Array, "b s"], present: Bool[Array, "b s"]) -> Float[Array, "b s d"]:
        """Embeddings of tokens; those of what is not present, padding, are zero.

        Args:
            tokens: their numbers.
            present: which of them belong to the text.
        """
        embeddings = self.encoder(self.shared.weight[...][tokens], present)
        return jnp.where(present[..., None], embeddings, 0)


class Table(nnx.Module):
    """A row for each of so many things."""

    def __init__(self, rows: int, channels: int):
        self.weight = parameter(rows, channels)


class Encoder(nnx.Module):
    """The layers, and a norm after them."""

    def __init__(self, config: TextEncoderConfig):
        self.config = config
        self.block = Stacked(Block(config), config.num_layers)
        self.final_layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon)

    def __call__(self, x: Float[Array, "b s d"], present: Bool[Array, "b s"]) -> Float[Array, "b s d"]:
        """Apply all."""
        buckets = jnp.asarray(distance_buckets(x.shape[1], self.config))
        return self.final_layer_norm(self.block.through(lambda block, x: block(x, buckets, present), x))


class Block(nnx.Module):
    """Self-attention and feed-forward, each on the norm of its input and added to it."""

    def __init__(self, config: TextEncoderConfig):
        layers: list[Any] = [AttentionLayer(config), FeedForwardLayer(config)]
        self.layer = nnx.List(layers)

    def __call__(
        self, x: Float[Array, "b s d"], buckets: Int[Array, "s s"], present: Bool[Array, "b s"]
    ) -> Float[Array, "b s d"]:
        """Apply both."""
        attention, feed_forward = self.layer
        return feed_forward(attention(x, buckets, present))


class AttentionLayer(nnx.Module):
    """Self-attention on the norm of its input, added to it."""

    def __init__(self, config: TextEncoderConfig):
        self.SelfAttention = SelfAttention(config)
        self.layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon)

    def __call__(
        self, x: Float[Array, "b s d"], buckets: Int[Array, "s s"], present: Bool[Array, "b s"]
    ) -> Float[Array, "b s d"]:
        """Apply the layer."""
        return x + self.SelfAttention(self.layer_norm(x), buckets, present)


class SelfAttention(nnx.Module):
    """`softmax(q k^T + bias) v`, without a scale; the softmax in float32."""

    def __init__(self, config: TextEncoderConfig):
        self.heads, inner = config.num_heads, config.num_heads * config.d_kv
        self.q = Linear(config.d_model, inner, bias=False)
        self.k = Linear(config.d_model, inner, bias=False)
        self.v = Linear(config.d_model, inner, bias=False)
        self.o = Linear(inner, config.d_model, bias=False)
        self.relative_attention_bias = Table(config.relative_attention_num_buckets, config.num_heads)

    def __call__(
        self, x: Float[Array, "b s d"], buckets: Int[Array, "s s"], present: Bool[Array, "b s"]
    ) -> Float[Array, "b s d"]:
        """Attend to the tokens that are present."""
        query, key, value = (layer(x).reshape(*x.shape[:2], self.heads, -1) for layer in (self.q, self.k, self.v))
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key, preferred_element_type=jnp.float32)
        bias = self.relative_attention_bias.weight[...].astype(jnp.float32)[buckets].transpose(2, 0, 1)
        masked = jnp.where(present[:, None, None], scores + bias, jnp.finfo(jnp.float32).min)
        y = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(masked).astype(x.dtype), value)
        return self.o(y.reshape(*x.shape[:2], -1))


class FeedForwardLayer(nnx.Module):
    """A gated feed-forward on the norm of its input, added to it."""

    def __init__(self, config: TextEncoderConfig):
        self.DenseReluDense = GatedFeedForward(config)
        self.layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon)

    def __call__(self, x: Float[Array, "b s d"]) -> Float[Array, "b s d"]:
        """Apply the layer."""
        return x + self.DenseReluDense(self.layer_norm(x))


class GatedFeedForward(nnx.Module):
    """`gelu(x W0) (x W1) W`, GELU by tanh."""

    def __init__(self, config: TextEncoderConfig):
        self.wi_0 = Linear(config.d_model, config.d_ff, bias=False)
        self.wi_1 = Linear(config.d_model, config.d_ff, bias=False)
        self.wo = Linear(config.d_ff, config.d_model, bias=False)

    def __call__(self, x: Float[Array, "b s d"]) -> Float[Array, "b s d"]:
        """Apply the layers."""
        return self.wo(jax.nn.gelu(self.wi_0(x), approximate=True) * self.wi_1(x))


def distance_buckets(length: int, config: TextEncoderConfig) -> np.ndarray:
    """[length, length] int32: to which bucket of distances each token's distance to each other belongs.

    Half of the buckets are of tokens that come later. Of each half, one half is of single distances, the other of ever
    longer stretches up to the largest distance, after Raffel et al. (2020).
    """
    half = config.relative_attention_num_buckets // 2
    exact = half // 2
    apart = np.arange(length)[None] - np.arange(length)[:, None]
    far = np.maximum(np.abs(apart), exact).astype(np.float32)
    grown = np.log(far / np.float32(exact)) / np.float32(np.log(config.relative_attention_max_distance / exact))
    stretched = np.minimum(exact + (grown * np.float32(half - exact)).astype(np.int32), half - 1)
    return ((apart > 0) * half + np.where(np.abs(apart) < exact, np.abs(apart), stretched)).astype(np.int32)
