"""DINOv2: a vision transformer for pictures of any size, of which the outputs of a few layers are handed on."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.depth.config import BackboneConfig
from nvs_jax.models.depth.heads import attend
from nvs_jax.models.depth.resampling import resize
from nvs_jax.models.layers import Conv, LayerNorm, Linear, gelu, parameter


class Backbone(nnx.Module):
    """`Dinov2Backbone`, without the mask token that only its training uses."""

    def __init__(self, config: BackboneConfig):
        self.out_indices = config.out_indices
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.layernorm = LayerNorm(config.hidden_size, config.layer_norm_eps)

    def __call__(self, pixels: Float[Array, "n H W c"]) -> list[Float[Array, "n h w d"]]:
        """Features of every patch after each layer of `out_indices`, normalised.

        Args:
            pixels: pictures as `preprocess` returns them; rows and columns are multiples of the patch size.
        """
        tokens, (rows, columns) = self.embeddings(pixels)
        features = []
        for number, layer in enumerate(self.encoder.layer[: self.out_indices[-1]], start=1):
            tokens = layer(tokens)
            if number in self.out_indices:
                patches = self.layernorm(tokens)[:, 1:]
                features.append(patches.reshape(len(pixels), rows, columns, -1))
        return features


class Embeddings(nnx.Module):
    """A class token, then one token a patch, row by row; a learned embedding of the position is added to each."""

    def __init__(self, config: BackboneConfig):
        self.grid = config.grid
        self.cls_token = parameter(1, 1, config.hidden_size)
        self.position_embeddings = parameter(1, config.grid**2 + 1, config.hidden_size)
        self.patch_embeddings = PatchEmbeddings(config)

    def __call__(self, pixels: Float[Array, "n H W c"]) -> tuple[Float[Array, "n t d"], tuple[int, int]]:
        """Tokens, the class token first, and the rows and columns of patches."""
        patches = self.patch_embeddings.projection(pixels)
        n, rows, columns, width = patches.shape
        token = jnp.broadcast_to(self.cls_token[...].astype(patches.dtype), (n, 1, width))
        tokens = jnp.concatenate([token, patches.reshape(n, -1, width)], axis=1)
        return tokens + self.positions(rows, columns).astype(tokens.dtype), (rows, columns)

    def positions(self, rows: int, columns: int) -> Float[Array, "1 t d"]:
        """The embeddings of positions, interpolated to this many patches."""
        learned = self.position_embeddings[...]
        grid = learned[:, 1:].reshape(1, self.grid, self.grid, -1)
        grid = resize(grid, (rows, columns), "bicubic")
        return jnp.concatenate([learned[:, :1], grid.reshape(1, rows * columns, -1)], axis=1)


class PatchEmbeddings(nnx.Module):
    """Every patch of the picture, projected."""

    def __init__(self, config: BackboneConfig):
        size = config.patch_size
        self.projection = Conv(3, config.hidden_size, (size, size), stride=size, padding=((0, 0), (0, 0)))


class Encoder(nnx.Module):
    """The stack of layers."""

    def __init__(self, config: BackboneConfig):
        self.layer = nnx.List([Layer(config) for _ in range(config.num_hidden_layers)])


class Layer(nnx.Module):
    """Self-attention and a two-layer perceptron, each on normalised tokens, scaled, and added to them."""

    def __init__(self, config: BackboneConfig):
        self.norm1 = LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.attention = Attention(config)
        self.layer_scale1 = LayerScale(config)
        self.norm2 = LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.mlp = MLP(config)
        self.layer_scale2 = LayerScale(config)

    def __call__(self, tokens: Float[Array, "n t d"]) -> Float[Array, "n t d"]:
        tokens = tokens + self.layer_scale1(self.attention(self.norm1(tokens)))
        return tokens + self.layer_scale2(self.mlp(self.norm2(tokens)))


class Attention(nnx.Module):
    """Multi-head self-attention; its two halves are named as in the published files."""

    def __init__(self, config: BackboneConfig):
        self.attention = Projections(config)
        self.output = Output(config)

    def __call__(self, tokens: Float[Array, "n t d"]) -> Float[Array, "n t d"]:
        """Every token attends to all."""
        return self.output.dense(attend(*self.attention(tokens)).reshape(tokens.shape))


class Projections(nnx.Module):
    """Queries, keys and values."""

    def __init__(self, config: BackboneConfig):
        self.heads = config.num_attention_heads
        self.query = Linear(config.hidden_size, config.hidden_size)
        self.key = Linear(config.hidden_size, config.hidden_size)
        self.value = Linear(config.hidden_size, config.hidden_size)

    def __call__(self, tokens: Float[Array, "n t d"]) -> list[Float[Array, "n t heads width"]]:
        """All three, by head."""
        layers = (self.query, self.key, self.value)
        return [layer(tokens).reshape(*tokens.shape[:2], self.heads, -1) for layer in layers]


class Output(nnx.Module):
    """The projection of what was attended to."""

    def __init__(self, config: BackboneConfig):
        self.dense = Linear(config.hidden_size, config.hidden_size)


class LayerScale(nnx.Module):
    """A learned factor for every channel."""

    def __init__(self, config: BackboneConfig):
        self.lambda1 = parameter(config.hidden_size)

    def __call__(self, x: Float[Array, "n t d"]) -> Float[Array, "n t d"]:
        return x * self.lambda1[...].astype(x.dtype)


class MLP(nnx.Module):
    """Two linear maps with a GELU between them."""

    def __init__(self, config: BackboneConfig):
        wide = config.mlp_ratio * config.hidden_size
        self.fc1 = Linear(config.hidden_size, wide)
        self.fc2 = Linear(wide, config.hidden_size)

    def __call__(self, tokens: Float[Array, "n t d"]) -> Float[Array, "n t d"]:
        """Token by token."""
        return self.fc2(gelu(self.fc1(tokens)))
