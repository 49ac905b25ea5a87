"""UMT5's encoder against transformers on random weights."""

import functools
from typing import Any

import jax
import numpy as np
import pytest
import torch
from transformers import UMT5Config
from transformers import UMT5EncoderModel as Published

from nvs_jax.errors import InputError
from nvs_jax.models.umt5.config import TextEncoderConfig, parse_text_encoder, published_text_encoder
from nvs_jax.models.umt5.encoder import TextEncoder, distance_buckets
from nvs_jax.models.weights import Weights, bind
from tests.models.comparing import QUICK_COMPILE, relative_error
from tests.models.svd.torch_parity import randomise
from tests.models.wan.torch_parity import stacked_from_torch

SMALL = TextEncoderConfig(vocab_size=50, d_model=12, d_kv=4, d_ff=20, num_layers=3, num_heads=2)


@functools.cache
def both() -> tuple[Any, Weights]:
    theirs: Any = randomise(Published(UMT5Config(**published_text_encoder(SMALL))))
    assert parse_text_encoder({**theirs.config.to_dict(), "architectures": ["UMT5EncoderModel"]}, "here") == SMALL
    return theirs, stacked_from_torch(theirs, TextEncoder(SMALL))


@pytest.mark.parametrize("length", [1, 7, 200])
def test_agrees_with_transformers(length):
    theirs, weights = both()
    rng = np.random.default_rng(length)
    tokens = rng.integers(0, SMALL.vocab_size, (2, length)).astype(np.int32)
    present = np.arange(length) < np.array([[length], [(length + 1) // 2]])
    ours = jax.jit(lambda *inputs: bind(TextEncoder(SMALL), weights)(*inputs), compiler_options=QUICK_COMPILE)
    made = ours(tokens, present)
    published = theirs(torch.tensor(tokens), attention_mask=torch.tensor(present.astype(np.int64))).last_hidden_state
    assert relative_error(np.asarray(made)[present], published.numpy()[present]) <= 1e-5
    assert not np.asarray(made)[~present].any()


def test_distances_are_told_apart_as_in_transformers():
    theirs, _ = both()
    attention = theirs.encoder.block[0].layer[0].SelfAttention
    apart = torch.arange(300)[None] - torch.arange(300)[:, None]
    np.testing.assert_array_equal(distance_buckets(300, SMALL), attention._relative_position_bucket(apart).numpy())


@pytest.mark.parametrize(
    ("published", "said"),
    [
        (
            {"architectures": ["T5EncoderModel"]},
            "here is the configuration of T5EncoderModel, not",
        ),
        ({"feed_forward_proj": "relu"}, "feed_forward_proj must be gated-gelu"),
        ({"num_heads": 0}, "num_heads must be positive"),
        ({"relative_attention_num_buckets": 6}, "must divide by 4"),
        ({"d_ff": None}, "d_ff must be a whole number"),
    ],
)
def test_another_encoder_is_refused(published, said):
    with pytest.raises(InputError, match=said):
        parse_text_encoder(published_text_encoder(SMALL) | published, "here")
