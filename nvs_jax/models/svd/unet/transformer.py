"""The transformer of SVD: blocks over the locations of a frame and over the frames at a location, blended."""

from collections.abc import Callable

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from nvs_jax.errors import InputError
from nvs_jax.models.attention import attention
from nvs_jax.models.embeddings import TimestepEmbedding, sinusoids
from nvs_jax.models.layers import GroupNorm, LayerNorm, Linear, NoParameters, gelu
from nvs_jax.models.svd.layout import over_space, over_time, per_frame
from nvs_jax.models.svd.resnet import GROUPS, AlphaBlender
from nvs_jax.pytree import pytree


@pytree
class Context:
    """What sequences attend to across: sequence i to `tokens[rows[i]]`.

    Attributes:
        tokens: the different contexts.
        rows: which of them each sequence sees.
    """

    tokens: Float[Array, "m s d"]
    rows: Int[Array, "n"]

    @staticmethod
    def repeated(tokens: Float[Array, "b s d"], times: int) -> "Context":
        """Every batch element's context for `times` consecutive sequences."""
        return Context(tokens, jnp.repeat(jnp.arange(len(tokens)), times))


@pytree
class MixedContext:
    """Contexts that alternate over locations, as in the release's temporal cross-attention.

    Location p (row-major, at whatever resolution) of batch element i attends to
    `alternatives[i, (index[i] * locations + p) % n]`. Under classifier-free guidance both branches have the
    alternatives [unconditional, conditional]; the first has index 0, the second 1.

    Attributes:
        alternatives: the n contexts a batch element alternates between.
        index: its place in the batch which the release would have run.
    """

    alternatives: Float[Array, "b n s d"]
    index: Int[Array, "b"]

    def over_locations(self, locations: int) -> Context:
        """The context of each of b * locations sequences, batch element major."""
        b, n = self.alternatives.shape[:2]
        turn = (self.index[:, None] * locations + jnp.arange(locations)) % n
        return Context(
            self.alternatives.reshape(b * n, *self.alternatives.shape[2:]), (jnp.arange(b)[:, None] * n + turn).ravel()
        )


class Attention(nnx.Module):
    """Multi-head attention of sequences to themselves or to a context.

    Args:
        channels: of the input and the output, divided evenly among the heads.
        heads: how many.
        context_channels: of the context; None for self-attention.

    Raises:
        InputError: the heads do not divide the channels.
    """

    def __init__(self, channels: int, heads: int, context_channels: int | None = None):
        if channels % heads:
            raise InputError(
                f"{channels} channels do not divide among {heads} attention heads: check num_attention_heads"
            )
        self.heads = heads
        source = channels if context_channels is None else context_channels
        self.to_q = Linear(channels, channels, bias=False)
        self.to_k = Linear(source, channels, bias=False)
        self.to_v = Linear(source, channels, bias=False)
        self.to_out = nnx.List([Linear(channels, channels), NoParameters()])

    def __call__(self, x: Float[Array, "n l c"], context: Context | None = None) -> Float[Array, "n l c"]:
        """Attend; over one token only, the softmax is 1 and the result its value whatever the query."""
        if context is None:
            return self._attend(x, self.to_k(x), self.to_v(x))
        value = self.to_v(context.tokens)
        if value.shape[1] == 1:
            return jnp.broadcast_to(self.to_out[0](value)[context.rows], x.shape)
        return self._attend(x, self.to_k(context.tokens)[context.rows], value[context.rows])

    def _attend(self, x: Array, key: Array, value: Array) -> Array:
        def split(y: Array) -> Array:
            return y.reshape(*y.shape[:2], self.heads, -1)

        y = attention(split(self.to_q(x)), split(key), split(value))
        return self.to_out[0](y.reshape(*x.shape[:2], -1))


class GEGLU(nnx.Module):
    """`a gelu(b)` with [a, b] a linear map of the input."""

    def __init__(self, in_channels: int, out_channels: int):
        self.proj = Linear(in_channels, 2 * out_channels)

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        """Apply, with the exact (erf) GELU."""
        a, b = jnp.split(self.proj(x), 2, axis=-1)
        return a * gelu(b)


class FeedForward(nnx.Module):
    """GEGLU of four times the width, then linear."""

    def __init__(self, channels: int):
        self.net = nnx.List([GEGLU(channels, 4 * channels), NoParameters(), Linear(4 * channels, channels)])

    def __call__(self, x: Float[Array, "*n c"]) -> Float[Array, "*n c"]:
        """Apply both."""
        return self.net[2](self.net[0](x))


class BasicTransformerBlock(nnx.Module):
    """Self-attention, cross-attention and feed-forward, each on the layer norm of its input and added to it."""

    def __init__(self, channels: int, heads: int, context_channels: int):
        self.norm1 = LayerNorm(channels)
        self.attn1 = Attention(channels, heads)
        self.norm2 = LayerNorm(channels)
        self.attn2 = Attention(channels, heads, context_channels)
        self.norm3 = LayerNorm(channels)
        self.ff = FeedForward(channels)

    def __call__(self, x: Float[Array, "n l c"], context: Context) -> Float[Array, "n l c"]:
        """Apply to sequences."""
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class TemporalBasicTransformerBlock(BasicTransformerBlock):
    """The same after one more feed-forward."""

    def __init__(self, channels: int, heads: int, context_channels: int):
        self.norm_in = LayerNorm(channels)
        self.ff_in = FeedForward(channels)
        super().__init__(channels, heads, context_channels)

    def __call__(self, x: Float[Array, "n l c"], context: Context) -> Float[Array, "n l c"]:
        """Apply to sequences."""
        return super().__call__(x + self.ff_in(self.norm_in(x)), context)


class TransformerSpatioTemporal(nnx.Module):
    """Pairs of a spatial and a temporal block, all blended by one number, between two linear layers.

    Args:
        channels: of the input and the output.
        heads: of every attention.
        layers: number of pairs.
        context_channels: of the context.
    """

    def __init__(self, channels: int, heads: int, layers: int, context_channels: int):
        self.norm = GroupNorm(GROUPS, channels, 1e-6)
        self.proj_in = Linear(channels, channels)
        self.transformer_blocks = nnx.List(
            [BasicTransformerBlock(channels, heads, context_channels) for _ in range(layers)]
        )
        self.temporal_transformer_blocks = nnx.List(
            [TemporalBasicTransformerBlock(channels, heads, context_channels) for _ in range(layers)]
        )
        self.time_pos_embed = TimestepEmbedding(channels, 4 * channels, channels)
        self.time_mixer = AlphaBlender()
        self.proj_out = Linear(channels, channels)

    def __call__(
        self, x: Float[Array, "b f h w c"], context: Float[Array, "b s d"], mixed: MixedContext | None = None
    ) -> Float[Array, "b f h w c"]:
        """Apply the transformer.

        Args:
            x: activations.
            context: what a batch element's frames attend to across.
            mixed: what its locations attend to across in the temporal blocks; None for `context`.
        """
        b, f, h, w, c = x.shape
        frame = self.time_pos_embed(sinusoids(jnp.arange(f), c)).astype(x.dtype)[:, None, None]
        of_frames = Context.repeated(context, f)
        of_locations = Context.repeated(context, h * w) if mixed is None else mixed.over_locations(h * w)

        def with_context(block: BasicTransformerBlock, context: Context) -> Callable[[Array, Array], Array]:
            return lambda z, rows: block(z, Context(context.tokens, rows))

        y = self.proj_in(per_frame(self.norm, x))
        for spatial, temporal in zip(self.transformer_blocks, self.temporal_transformer_blocks, strict=True):
            y = over_space(with_context(spatial, of_frames), y, of_frames.rows.reshape(b, f))
            mix = over_time(with_context(temporal, of_locations), y + frame, of_locations.rows.reshape(b, h * w))
            y = self.time_mixer(y, mix)
        return x + self.proj_out(y)
