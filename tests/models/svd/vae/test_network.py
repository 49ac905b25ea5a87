"""The whole VAE against diffusers, on random weights, and its chunks against itself."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_temporal_decoder import AutoencoderKLTemporalDecoder
from jaxtyping import Array

from nvs_jax.errors import InputError
from nvs_jax.models.svd.config import VAEConfig
from nvs_jax.models.svd.vae.network import VAE, decode_chunks, encode_chunks
from nvs_jax.models.weights import Weights, bind
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, from_torch, randomise

CONFIGS = {
    "two levels": VAEConfig(
        down_block_types=("DownEncoderBlock2D",) * 2, block_out_channels=(32, 64), layers_per_block=1
    ),
    "three levels": VAEConfig(
        down_block_types=("DownEncoderBlock2D",) * 3, block_out_channels=(32, 32, 64), layers_per_block=2
    ),
    "wide latent": VAEConfig(
        down_block_types=("DownEncoderBlock2D",) * 2,
        block_out_channels=(64, 96),
        layers_per_block=1,
        latent_channels=6,
    ),
}
TINY = CONFIGS["two levels"]


def torch_vae(config: VAEConfig) -> AutoencoderKLTemporalDecoder:
    vae = AutoencoderKLTemporalDecoder(**dataclasses.asdict(config))
    randomise(vae)
    return vae


@pytest.fixture(scope="module", params=CONFIGS)
def case(request: pytest.FixtureRequest) -> tuple[VAEConfig, AutoencoderKLTemporalDecoder, Weights]:
    """A configuration, diffusers' VAE and its weights as ours."""
    config = CONFIGS[request.param]
    theirs = torch_vae(config)
    return config, theirs, from_torch(theirs, VAE(config))


@pytest.fixture(scope="module")
def weights() -> Weights:
    """Weights of the smallest configuration."""
    return from_torch(torch_vae(TINY), VAE(TINY))


def call(config: VAEConfig, weights: Weights, method: Callable[[VAE, Array], Any], x: np.ndarray | Array) -> Any:
    return jax.jit(lambda weights, x: method(bind(VAE(config), weights), x))(weights, x)


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_encode(case) -> None:
    config, theirs, weights = case
    pictures = np.clip(0.5 * normal(2, 4 * config.stride, 6 * config.stride, 3), -1, 1)
    expected = theirs.encode(channels_first(pictures)).latent_dist
    mean, log_variance = call(config, weights, VAE.encode_moments, pictures)
    assert relative_error(mean, channels_last(expected.mode())) <= 1e-4
    assert relative_error(log_variance, channels_last(expected.logvar)) <= 1e-4


def test_decode(case) -> None:
    config, theirs, weights = case
    latents = normal(2, 3, 4, 6, config.latent_channels)
    expected = theirs.decode(channels_first(latents).flatten(0, 1), num_frames=3).sample.unflatten(0, (2, 3))
    assert relative_error(call(config, weights, VAE.decode, latents), channels_last(expected)) <= 1e-4


def test_decode_in_chunks(case) -> None:
    config, theirs, weights = case
    latents = normal(1, 5 if config is TINY else 4, 4, 6, config.latent_channels)  # with a remainder and without
    parts = channels_first(latents[0]).split(2)
    expected = torch.cat([theirs.decode(part, num_frames=len(part)).sample for part in parts])
    ours = call(config, weights, lambda vae, x: decode_chunks(vae, x, chunk=2), latents)
    assert relative_error(ours[0], channels_last(expected)) <= 1e-4


def test_pictures_are_encoded_alike_in_any_chunks(weights: Weights) -> None:
    pictures = normal(5, 8, 6, 3)
    expected, _ = call(TINY, weights, VAE.encode_moments, pictures)
    for chunk in (1, 2, 5, 8):
        chunked = call(TINY, weights, lambda vae, x, chunk=chunk: encode_chunks(vae, x, chunk), pictures)
        np.testing.assert_allclose(chunked, expected, atol=1e-5, err_msg=f"chunks of {chunk}")


def test_refuses_empty_chunks(weights: Weights) -> None:
    vae = bind(VAE(TINY), weights)
    with pytest.raises(InputError, match="at least one frame, not 0"):
        decode_chunks(vae, jnp.zeros((1, 2, 2, 2, 4)), 0)


def test_keeps_bfloat16(weights: Weights) -> None:
    pictures = normal(1, 8, 8, 3)
    narrow = call(TINY, weights, VAE.encode, pictures.astype(jnp.bfloat16))
    assert narrow.dtype == jnp.bfloat16
    assert relative_error(narrow.astype(jnp.float32), call(TINY, weights, VAE.encode, pictures)) <= 0.1
    video = jax.eval_shape(bind(VAE(TINY), weights).decode, narrow[None])
    assert video.dtype == jnp.bfloat16 and video.shape == (1, 1, 8, 8, 3)
