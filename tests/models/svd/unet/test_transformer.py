import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models import attention as published_blocks
from diffusers.models.transformers.transformer_temporal import TransformerSpatioTemporalModel

from nvs_jax.errors import InputError
from nvs_jax.models.svd.unet.transformer import (
    Attention,
    BasicTransformerBlock,
    Context,
    MixedContext,
    TemporalBasicTransformerBlock,
    TransformerSpatioTemporal,
)
from nvs_jax.models.weights import bind, random_weights
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, with_weights_of

TOLERANCE = 1e-5
BLOCKS = [  # channels, heads, context channels, context tokens
    (32, 2, 24, 1),
    (48, 3, 48, 3),
    (64, 1, 16, 2),
]


def _normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _own(context: np.ndarray) -> Context:
    return Context(jnp.asarray(context), jnp.arange(len(context)))


@pytest.mark.parametrize(("channels", "heads", "context_channels", "tokens"), BLOCKS)
def test_basic_block_agrees_with_diffusers(channels, heads, context_channels, tokens):
    theirs = published_blocks.BasicTransformerBlock(
        channels, heads, channels // heads, cross_attention_dim=context_channels
    )
    apply = with_weights_of(theirs, BasicTransformerBlock(channels, heads, context_channels))
    x, context = _normal(1, 3, 10, channels), _normal(2, 3, tokens, context_channels)
    expected = theirs(torch.from_numpy(x), encoder_hidden_states=torch.from_numpy(context))
    assert relative_error(apply(x, _own(context)), expected) <= TOLERANCE


@pytest.mark.parametrize(("channels", "heads", "context_channels", "tokens"), BLOCKS)
def test_temporal_block_agrees_with_diffusers(channels, heads, context_channels, tokens):
    theirs = published_blocks.TemporalBasicTransformerBlock(
        channels, channels, heads, channels // heads, cross_attention_dim=context_channels
    )
    apply = with_weights_of(theirs, TemporalBasicTransformerBlock(channels, heads, context_channels))
    sequences, frames = 6, 5
    x, context = _normal(1, sequences, frames, channels), _normal(2, sequences, tokens, context_channels)
    expected = theirs(torch.from_numpy(x).transpose(0, 1), frames, torch.from_numpy(context)).transpose(0, 1)
    assert relative_error(apply(x, _own(context)), expected) <= TOLERANCE


@pytest.mark.parametrize(
    ("channels", "heads", "layers", "context_channels", "tokens", "size"),
    [(32, 2, 1, 24, 1, (5, 4, 6)), (96, 3, 2, 48, 3, (3, 3, 5)), (64, 4, 3, 16, 1, (1, 2, 2))],
)
def test_transformer_agrees_with_diffusers(channels, heads, layers, context_channels, tokens, size):
    theirs = TransformerSpatioTemporalModel(
        heads, channels // heads, channels, num_layers=layers, cross_attention_dim=context_channels
    )
    apply = with_weights_of(theirs, TransformerSpatioTemporal(channels, heads, layers, context_channels))
    x, context = _normal(1, 2, *size, channels), _normal(2, 2, tokens, context_channels)
    expected = theirs(
        channels_first(x).flatten(0, 1),
        torch.from_numpy(context).repeat_interleave(size[0], dim=0),
        torch.zeros(2, size[0]),
        return_dict=False,
    )[0]
    assert relative_error(apply(x, context), channels_last(expected.unflatten(0, (2, -1)))) <= TOLERANCE


def test_one_token_gives_what_the_full_attention_to_it_gives():
    ours = Attention(32, 4, 24)
    weights = random_weights(ours, 0)
    x, tokens = jnp.asarray(_normal(1, 6, 5, 32)), jnp.asarray(_normal(2, 2, 1, 24))
    rows = jnp.array([0, 1, 1, 0, 0, 1])
    shortcut = bind(ours, weights)(x, Context(tokens, rows))
    # The same token twice takes the way through the softmax and averages two equal values.
    full = bind(ours, weights)(x, Context(jnp.repeat(tokens, 2, axis=1), rows))
    assert relative_error(shortcut, full) <= 1e-6
    # And the same way with the one token itself.
    layer = bind(ours, weights)
    whole = layer._attend(x, layer.to_k(tokens)[rows], layer.to_v(tokens)[rows])
    assert relative_error(shortcut, whole) <= 1e-6
    assert relative_error(shortcut[0], shortcut[1]) > 0.1


def test_one_token_needs_no_queries_and_keys():
    ours = Attention(32, 4, 24)
    weights = random_weights(ours, 0)
    apply = jax.jit(lambda w, x, tokens: bind(ours, w)(x, Context(tokens, jnp.arange(2))))
    x = jnp.ones((2, 5, 32))
    assert apply.lower(weights, x, jnp.ones((2, 1, 24))).as_text().count("dot_general") == 2
    assert apply.lower(weights, x, jnp.ones((2, 2, 24))).as_text().count("dot_general") == 6


def test_heads_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(InputError, match=r"32 channels do not divide among 5 attention heads"):
        Attention(32, 5)


@pytest.mark.parametrize(("n", "locations"), [(2, 6), (2, 15), (3, 4)])
def test_mixed_context_alternates_as_the_release_lays_it_out(n, locations):
    contexts = _normal(0, n, 2, 5)
    # The release runs the n contexts as one batch; flat row r of it attends to context r mod n.
    expected = contexts[np.arange(n * locations) % n]
    mixed = MixedContext(jnp.broadcast_to(contexts, (n, *contexts.shape)), jnp.arange(n)).over_locations(locations)
    np.testing.assert_array_equal(mixed.tokens[mixed.rows], expected)


def test_mixed_context_of_one_alternative_is_the_plain_context():
    context = jnp.asarray(_normal(0, 3, 2, 5))
    mixed, plain = MixedContext(context[:, None], jnp.zeros(3, int)).over_locations(4), Context.repeated(context, 4)
    np.testing.assert_array_equal(mixed.tokens[mixed.rows], plain.tokens[plain.rows])


@pytest.mark.parametrize(("tokens", "size"), [(1, (3, 2, 4)), (3, (2, 3, 5))])
def test_mixed_context_agrees_with_the_releases_layout_and_not_with_todays(tokens, size):
    theirs = TransformerSpatioTemporalModel(2, 16, 32, num_layers=1, cross_attention_dim=24)
    apply = with_weights_of(theirs, TransformerSpatioTemporal(32, 2, 1, 24))
    theirs.temporal_transformer_blocks[0].register_forward_pre_hook(_location_major, with_kwargs=True)
    x, context = _normal(1, 2, *size, 32), _normal(2, 2, tokens, 24)
    expected = theirs(
        channels_first(x).flatten(0, 1),
        torch.from_numpy(context).repeat_interleave(size[0], dim=0),
        torch.zeros(2, size[0]),
        return_dict=False,
    )[0]
    mixed = MixedContext(jnp.stack([context, context]), jnp.arange(2))
    result = apply(x, context, mixed)
    assert relative_error(result, channels_last(expected.unflatten(0, (2, -1)))) <= TOLERANCE
    assert relative_error(apply(x, context), result) > 1e-3

    def alone(i: int) -> jax.Array:
        return apply(x[i : i + 1], context[i : i + 1], jax.tree.map(lambda array: array[i : i + 1], mixed))

    assert relative_error(jnp.concatenate([alone(0), alone(1)]), result) <= 1e-6


def _location_major(block, args, kwargs):
    """The layout of the release's copy of diffusers: batch elements fastest."""
    batch_major = kwargs["encoder_hidden_states"].unflatten(0, (2, -1))
    return args, kwargs | {"encoder_hidden_states": batch_major.transpose(0, 1).flatten(0, 1)}


def test_jit_changes_nothing():
    ours = TemporalBasicTransformerBlock(32, 2, 24)
    weights = random_weights(ours, 0)
    x, context = jnp.asarray(_normal(1, 6, 4, 32)), jnp.asarray(_normal(2, 2, 1, 24))
    mixed = MixedContext(jnp.stack([context, context]), jnp.arange(2)).over_locations(3)
    jitted = jax.jit(lambda w, *inputs: bind(ours, w)(*inputs))
    assert relative_error(jitted(weights, x, mixed), bind(ours, weights)(x, mixed)) <= 1e-6


def test_a_transformer_stays_finite_in_bfloat16():
    ours = TransformerSpatioTemporal(32, 2, 1, 24)
    weights = random_weights(ours, 0)
    x = 1e4 * jax.random.normal(jax.random.key(1), (1, 2, 2, 2, 32), jnp.bfloat16)
    context = 1e3 * jnp.ones((1, 2, 24), jnp.bfloat16)
    y = jax.jit(lambda w, *inputs: bind(ours, w)(*inputs))(weights, x, context)
    assert y.dtype == jnp.bfloat16
    assert jnp.isfinite(y).all()
