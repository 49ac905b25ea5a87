import jax.numpy as jnp
import numpy as np
import torch
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.models.wan.transformer.rotary import rotation


def test_angles_are_those_of_diffusers():
    theirs = WanRotaryPosEmbed(128, (1, 2, 2), 1024)(torch.zeros(1, 1, 21, 60, 104))
    ours = rotation(21, 30, 52, 128)
    for mine, published in zip((ours.cos, ours.sin), theirs, strict=True):
        np.testing.assert_allclose(mine, published[0, :, 0, ::2], atol=1e-6)


def test_a_third_of_the_channels_tell_rows_and_a_third_columns():
    for size, told in (((2, 1, 1), 22), ((1, 2, 1), 21), ((1, 1, 2), 21)):
        turned = np.asarray(rotation(*size, 128).sin[1] != 0)
        assert turned.sum() == told


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3))
def test_what_tokens_make_of_each_other_depends_on_how_far_apart_they_are(first, second, shift):
    rng = np.random.default_rng(first)
    query, key = (jnp.asarray(rng.normal(size=12), jnp.float32) for _ in range(2))

    def score(at: int, other: int) -> float:
        turn = rotation(9, 1, 1, 12)
        tokens = jnp.zeros((2, 9, 1, 12)).at[0, at, 0].set(query).at[1, other, 0].set(key)
        turned = turn(tokens)
        return float(turned[0, at, 0] @ turned[1, other, 0])

    np.testing.assert_allclose(score(first, second), score(first + shift, second + shift), atol=1e-4)
