"""The image encoder against transformers, on random weights."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from nvs_jax.errors import InputError
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.clip.image_encoder import ImageEncoder
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, with_weights_of

SMALL = ImageEncoderConfig(
    hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, image_size=28, projection_dim=20
)
VARIANTS = {
    "gelu": SMALL,
    "quick_gelu": dataclasses.replace(SMALL, hidden_act="quick_gelu", num_attention_heads=3, patch_size=7),
    "tanh": dataclasses.replace(SMALL, hidden_act="gelu_pytorch_tanh", num_hidden_layers=3, layer_norm_eps=1e-3),
    "gelu_new": dataclasses.replace(SMALL, hidden_act="gelu_new", image_size=50, patch_size=16),  # a border is unused
    "one channel": dataclasses.replace(SMALL, num_channels=1, intermediate_size=33, projection_dim=64, hidden_size=64),
}


def torch_encoder(config: ImageEncoderConfig) -> CLIPVisionModelWithProjection:
    return CLIPVisionModelWithProjection(CLIPVisionConfig(**dataclasses.asdict(config)))


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_agrees_with_transformers(config: ImageEncoderConfig) -> None:
    theirs = torch_encoder(config)
    function = with_weights_of(theirs, ImageEncoder(config))
    shape = (2, config.image_size, config.image_size, config.num_channels)
    pixels = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    assert relative_error(function(pixels), theirs(channels_first(pixels)).image_embeds) <= 1e-5


def test_tokens_before_the_last_layer_agree_with_transformers() -> None:
    class Tokens(ImageEncoder):
        def __call__(self, pixels: jax.Array) -> jax.Array:
            return self.vision_model.tokens(pixels, but=1)

    theirs = torch_encoder(SMALL)
    tokens = with_weights_of(theirs, Tokens(SMALL))
    pixels = np.random.default_rng(1).normal(size=(2, 28, 28, 3)).astype(np.float32)
    expected = theirs(channels_first(pixels), output_hidden_states=True).hidden_states[-2]
    assert relative_error(tokens(pixels), expected.detach()) <= 1e-5


def test_keeps_bfloat16() -> None:
    encoder = with_weights_of(torch_encoder(SMALL), ImageEncoder(SMALL))
    pixels = jax.random.normal(jax.random.key(1), (1, 28, 28, 3))
    narrow = encoder(pixels.astype(jnp.bfloat16))
    assert narrow.dtype == jnp.bfloat16
    assert relative_error(narrow.astype(jnp.float32), encoder(pixels)) <= 0.05


def test_refuses_an_unknown_activation() -> None:
    with pytest.raises(InputError, match="hidden_act is 'relu'"):
        ImageEncoder(dataclasses.replace(SMALL, hidden_act="relu"))
