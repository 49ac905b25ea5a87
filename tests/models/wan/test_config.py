from typing import Any

import pytest

from nvs_jax.errors import InputError
from nvs_jax.models.wan.config import (
    TransformerConfig,
    VAEConfig,
    parse_transformer,
    parse_vae,
    published_transformer,
    published_vae,
)

TRANSFORMER: dict[str, Any] = {"_class_name": "WanTransformer3DModel"}
VACE: dict[str, Any] = {"_class_name": "WanVACETransformer3DModel", "num_layers": 30}
VAE: dict[str, Any] = {"_class_name": "AutoencoderKLWan"}


def test_what_is_not_said_is_as_in_the_published_class():
    assert parse_transformer(TRANSFORMER, "here") == TransformerConfig()
    assert parse_vae(VAE, "here") == VAEConfig()


@pytest.mark.parametrize("config", [TransformerConfig(), TransformerConfig(num_layers=4, vace_layers=(0, 2))])
def test_a_transformer_is_read_as_it_was_written(config):
    assert parse_transformer(published_transformer(config), "here") == config


def test_a_vae_is_read_as_it_was_written():
    config = VAEConfig(z_dim=2, latents_mean=(0.0, 1.0), latents_std=(1.0, 2.0), is_residual=True, patch_size=2)
    assert parse_vae(published_vae(config), "here") == config


def test_layers_of_vace_are_only_the_vace_models():
    assert parse_transformer(TRANSFORMER | {"vace_layers": [0]}, "here").vace_layers == ()
    assert parse_transformer(VACE | {"vace_layers": [*range(0, 30, 2)]}, "here").vace_layers == tuple(range(0, 30, 2))


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ({"_class_name": "UNetSpatioTemporalConditionModel"}, "here is the configuration of UNet.*, not of Wan's"),
        ({}, "of an unnamed class"),
        (TRANSFORMER | {"num_layers": "30"}, "here: num_layers must be a whole number .*, not '30'"),
        (TRANSFORMER | {"num_layers": 2**30}, "num_layers must be a whole number up to"),
        (TRANSFORMER | {"num_layers": 0}, "num_layers must be at least 1"),
        (TRANSFORMER | {"qk_norm": None}, "qk_norm None"),
        (TRANSFORMER | {"pos_embed_seq_len": 514}, "pos_embed_seq_len"),
        (TRANSFORMER | {"patch_size": [2, 2, 2]}, r"patch_size must be \[1, rows, columns\]"),
        (TRANSFORMER | {"image_dim": 1280}, "image_dim and added_kv_proj_dim belong together"),
        (TRANSFORMER | {"image_dim": 1280, "added_kv_proj_dim": 7}, "must be the width, 5120"),
        (VACE, "vace_layers must list layers"),
        (VACE | {"vace_layers": [0, 3, 4]}, "vace_layers must be every so many layers"),
        (VACE | {"vace_layers": [1, 16]}, "vace_layers must be every so many layers"),
    ],
)
def test_a_transformer_that_cannot_be_built_is_refused(published, said):
    with pytest.raises(InputError, match=said):
        parse_transformer(published, "here")


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ({"_class_name": "AutoencoderKL"}, "here is the configuration of AutoencoderKL, not of Wan's AutoencoderKLWan"),
        (VAE | {"attn_scales": [0.5]}, "attn_scales"),
        (VAE | {"dim_mult": [1]}, "dim_mult must have 2 to 8 entries"),
        (VAE | {"temperal_downsample": [True]}, "one entry less than dim_mult"),
        (VAE | {"temperal_downsample": [False, False, True]}, "four frames to a latent frame"),
        (VAE | {"latents_mean": [0.0]}, "must have z_dim entries"),
        (VAE | {"latents_std": [0.0] * 16}, "the latter positive"),
        (VAE | {"latents_std": ["1"] * 16}, "latents_std must be a list, of which each is a number"),
    ],
)
def test_a_vae_that_cannot_be_built_is_refused(published, said):
    with pytest.raises(InputError, match=said):
        parse_vae(published, "here")
