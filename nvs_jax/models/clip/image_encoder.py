"""CLIP's image encoder: a vision transformer, of which video models see the class token, projected, or all tokens."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.attention import attention
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.layers import Conv, LayerNorm, Linear, gelu, parameter


def _quick_gelu(x: Array) -> Array:
    return x * jax.nn.sigmoid(1.702 * x)


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "gelu": gelu,
    "gelu_new": functools.partial(jax.nn.gelu, approximate=True),
    "gelu_pytorch_tanh": functools.partial(jax.nn.gelu, approximate=True),
    "quick_gelu": _quick_gelu,
}


class ImageEncoder(nnx.Module):
    """`CLIPVisionModelWithProjection`.

    Raises:
        InputError: `hidden_act` is not one of CLIP's.
    """

    def __init__(self, config: ImageEncoderConfig):
        self.vision_model = VisionTransformer(config)
        self.visual_projection = Linear(config.hidden_size, config.projection_dim, bias=False)

    def __call__(self, pixels: Float[Array, "b s s c"]) -> Float[Array, "b d"]:
        """The projected embedding of each picture.

        Args:
            pixels: square pictures of the configuration's `image_size`, as `preprocess` returns them.
        """
        return self.visual_projection(self.vision_model(pixels))


class TokenEncoder(nnx.Module):
    """`CLIPVisionModel`, for its tokens before the last layer, `hidden_states[-2]`."""

    def __init__(self, config: ImageEncoderConfig):
        self.vision_model = VisionTransformer(config)

    def __call__(self, pixels: Float[Array, "b s s c"]) -> Float[Array, "b n d"]:
        """The class token, then one a patch.

        Args:
            pixels: square pictures of the configuration's `image_size`, as `preprocess` returns them.
        """
        return self.vision_model.tokens(pixels, but=1)


class VisionTransformer(nnx.Module):
    """Patches and a class token through pre-norm transformer layers; gives the class token, normalised."""

    def __init__(self, config: ImageEncoderConfig):
        self.embeddings = Embeddings(config)
        self.pre_layrnorm = LayerNorm(config.hidden_size, config.layer_norm_eps)  # spelt so in the published files
        self.encoder = Encoder(config)
        self.post_layernorm = LayerNorm(config.hidden_size, config.layer_norm_eps)

    def __call__(self, pixels: Float[Array, "b s s c"]) -> Float[Array, "b d"]:
        """The class token after the last layer."""
        return self.post_layernorm(self.tokens(pixels)[:, 0])

    def tokens(self, pixels: Float[Array, "b s s c"], but: int = 0) -> Float[Array, "b n d"]:
        """All tokens after all layers but so many of the last."""
        return self.encoder(self.pre_layrnorm(self.embeddings(pixels)), but)


class Embeddings(nnx.Module):
    """A class token, then one token a patch, row by row; a learned embedding of the position is added to each."""

    def __init__(self, config: ImageEncoderConfig):
        patches = (config.image_size // config.patch_size) ** 2
        size = (config.patch_size,) * 2
        self.class_embedding = parameter(config.hidden_size)
        self.patch_embedding = Conv(
            config.num_channels,
            config.hidden_size,
            size,
            stride=config.patch_size,
            padding=((0, 0), (0, 0)),
            bias=False,
        )
        self.position_embedding = Table(patches + 1, config.hidden_size)

    def __call__(self, pixels: Float[Array, "b s s c"]) -> Float[Array, "b n d"]:
        """Tokens, the class token first."""
        patches = self.patch_embedding(pixels)
        batch, _, _, width = patches.shape
        token = jnp.broadcast_to(self.class_embedding[...].astype(patches.dtype), (batch, 1, width))
        tokens = jnp.concatenate([token, patches.reshape(batch, -1, width)], axis=1)
        return tokens + self.position_embedding.weight[...].astype(tokens.dtype)


class Table(nnx.Module):
    """A learned vector a position. `weight` is [positions, channels]."""

    def __init__(self, positions: int, channels: int):
        self.weight = parameter(positions, channels)


class Encoder(nnx.Module):
    """The stack of layers."""

    def __init__(self, config: ImageEncoderConfig):
        self.layers = nnx.List([EncoderLayer(config) for _ in range(config.num_hidden_layers)])

    def __call__(self, tokens: Float[Array, "b n d"], but: int = 0) -> Float[Array, "b n d"]:
        """Apply all but so many of the last."""
        for layer in list(self.layers)[: len(self.layers) - but]:
            tokens = layer(tokens)
        return tokens


class EncoderLayer(nnx.Module):
    """Self-attention and a two-layer perceptron, each on normalised tokens and added to them."""

    def __init__(self, config: ImageEncoderConfig):
        self.self_attn = SelfAttention(config)
        self.layer_norm1 = LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.mlp = MLP(config)
        self.layer_norm2 = LayerNorm(config.hidden_size, config.layer_norm_eps)

    def __call__(self, tokens: Float[Array, "b n d"]) -> Float[Array, "b n d"]:
        tokens = tokens + self.self_attn(self.layer_norm1(tokens))
        return tokens + self.mlp(self.layer_norm2(tokens))


class SelfAttention(nnx.Module):
    """Multi-head self-attention."""

    def __init__(self, config: ImageEncoderConfig):
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.q_proj = Linear(width, width)
        self.k_proj = Linear(width, width)
        self.v_proj = Linear(width, width)
        self.out_proj = Linear(width, width)

    def __call__(self, tokens: Float[Array, "b n d"]) -> Float[Array, "b n d"]:
        """Every token attends to all."""
        q, k, v = (
            project(tokens).reshape(*tokens.shape[:2], self.heads, -1)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        return self.out_proj(attention(q, k, v).reshape(tokens.shape))


class MLP(nnx.Module):
    """Two linear maps with the configuration's activation between them."""

    def __init__(self, config: ImageEncoderConfig):
        if config.hidden_act not in _ACTIVATIONS:
            known = ", ".join(_ACTIVATIONS)
            raise InputError(f"the image encoder's hidden_act is {config.hidden_act!r}; this port knows {known}")
        self.activation = _ACTIVATIONS[config.hidden_act]
        self.fc1 = Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = Linear(config.intermediate_size, config.hidden_size)

    def __call__(self, tokens: Float[Array, "b n d"]) -> Float[Array, "b n d"]:
        """Token by token."""
        return self.fc2(self.activation(self.fc1(tokens)))
