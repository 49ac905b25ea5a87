"""Attention of a video's tokens to each other, and to what they are told."""

from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import Linear, NoParameters, RMSNorm
from nvs_jax.models.wan.config import TransformerConfig
from nvs_jax.models.wan.transformer.layout import attend_across, attend_to_each_other
from nvs_jax.models.wan.transformer.rotary import Rotation
from nvs_jax.pytree import pytree


@pytree
class Told:
    """What tokens attend to across.

    Attributes:
        text: the prompt, in the network's width.
        image: a picture; None for models that are told of none.
    """

    text: Float[Array, "b s c"]
    image: Float[Array, "b t c"] | None = None


class _Attention(nnx.Module):
    """What both attentions have: the projections, and norms of queries and keys across all heads."""

    def __init__(self, config: TransformerConfig):
        width = config.width
        self.heads = config.num_attention_heads
        self.to_q = Linear(width, width)
        self.to_k = Linear(width, width)
        self.to_v = Linear(width, width)
        self.to_out = nnx.List([Linear(width, width), NoParameters()])
        self.norm_q = RMSNorm(width, config.eps)
        self.norm_k = RMSNorm(width, config.eps)

    def _split(self, x: Float[Array, "b n c"]) -> Float[Array, "b n heads d"]:
        return x.reshape(*x.shape[:2], self.heads, -1)

    def _queries(self, x: Float[Array, "b n c"]) -> Float[Array, "b n heads d"]:
        return self._split(self.norm_q(self.to_q(x)))

    def _attend(self, query: Array, key: Array, value: Array) -> Float[Array, "b n c"]:
        """Keys and values still in the network's width; before the last projection."""
        y = attend_across(query, self._split(key), self._split(value))
        return y.reshape(*y.shape[:2], -1)


class SelfAttention(_Attention):
    """Attention of all tokens of a video to each other, which know where they are."""

    def __call__(self, x: Float[Array, "b n c"], rotation: Rotation) -> Float[Array, "b n c"]:
        """Attend."""
        key = rotation(self._split(self.norm_k(self.to_k(x))))
        y = attend_to_each_other(rotation(self._queries(x)), key, self._split(self.to_v(x)), rotation.tokens)
        return self.to_out[0](y.reshape(x.shape))


class CrossAttention(_Attention):
    """Attention to a text and, in models that have it, beside that to a picture."""

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        self.sees_image = config.added_kv_proj_dim is not None
        if config.added_kv_proj_dim is not None:
            self.add_k_proj = Linear(config.added_kv_proj_dim, config.width)
            self.add_v_proj = Linear(config.added_kv_proj_dim, config.width)
            self.norm_added_k = RMSNorm(config.width, config.eps)

    def __call__(self, x: Float[Array, "b n c"], told: Told) -> Float[Array, "b n c"]:
        """Attend."""
        query = self._queries(x)
        y = self._attend(query, self.norm_k(self.to_k(told.text)), self.to_v(told.text))
        if self.sees_image:
            assert told.image is not None, "this transformer is told of a picture: give its embeddings"
            key, value = self.norm_added_k(self.add_k_proj(told.image)), self.add_v_proj(told.image)
            y = y + self._attend(query, key, value)
        return self.to_out[0](y)
