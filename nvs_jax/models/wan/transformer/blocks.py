"""A layer of the transformer, and one of VACE's branch."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import LayerNorm, Linear, normalize, parameter
from nvs_jax.models.wan.config import TransformerConfig
from nvs_jax.models.wan.transformer.attention import CrossAttention, SelfAttention, Told
from nvs_jax.models.wan.transformer.embeddings import MODULATIONS, FeedForward
from nvs_jax.models.wan.transformer.layout import by_frame, sequence
from nvs_jax.models.wan.transformer.rotary import Rotation
from nvs_jax.pytree import pytree

Tokens = Float[Array, "b f l c"]
"""Of a video, by frame; l of each."""


@pytree
class Conditions:
    """What all layers are told.

    Attributes:
        modulation: shifts, scales and gates by the time of each frame, or of all (f = 1).
        told: the prompt, and a picture.
        rotation: where tokens are.
    """

    modulation: Float[Array, "b f 6 c"]
    told: Told
    rotation: Rotation


class Block(nnx.Module):
    """`WanTransformerBlock`: self-attention, cross-attention and feed-forward; time moves and scales the first and the
    last. Normalised, moved and added in float32."""

    def __init__(self, config: TransformerConfig):
        width = config.width
        self.epsilon = config.eps
        self.attn1 = SelfAttention(config)
        self.attn2 = CrossAttention(config)
        self.norm2 = LayerNorm(width, config.eps) if config.cross_attn_norm else None
        self.ffn = FeedForward(width, config.ffn_dim, width, by_tanh=True)
        self.scale_shift_table = parameter(1, MODULATIONS, width)

    def __call__(self, x: Tokens, conditions: Conditions) -> Tokens:
        """Apply the layer."""
        table = self.scale_shift_table[...].astype(jnp.float32) + conditions.modulation.astype(jnp.float32)
        shift, scale, gate, ff_shift, ff_scale, ff_gate = (table[:, :, None, i] for i in range(MODULATIONS))
        frames = x.shape[1]
        y = self.attn1(sequence(modulated(x, shift, scale, self.epsilon)), conditions.rotation)
        x = (x + gate * by_frame(y, frames)).astype(x.dtype)
        y = self.attn2(sequence(x if self.norm2 is None else self.norm2(x)), conditions.told)
        x = x + by_frame(y, frames)
        y = self.ffn(modulated(x, ff_shift, ff_scale, self.epsilon))
        return (x + ff_gate * y).astype(x.dtype)


class VACEBlock(Block):
    """`WanVACETransformerBlock`: the same, and what the main branch is given of it."""

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        self.proj_out = Linear(config.width, config.width)

    def with_hint(self, x: Tokens, conditions: Conditions) -> tuple[Tokens, Tokens]:
        """What goes on in the branch, and what the main branch is given."""
        x = self(x, conditions)
        return x, self.proj_out(x)


def modulated(x: Tokens, shift: Float[Array, "b #f 1 c"], scale: Float[Array, "b #f 1 c"], epsilon: float) -> Tokens:
    """Normalised over channels, scaled and moved; in the dtype of `x`."""
    return (normalize(x, (-1,), epsilon) * (1 + scale) + shift).astype(x.dtype)
