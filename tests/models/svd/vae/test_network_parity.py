"""The VAE on its published layout's files, and against the latents and frames of the release's run."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from diffusers.models.autoencoders.autoencoder_kl_temporal_decoder import AutoencoderKLTemporalDecoder
from jaxtyping import Array
from PIL import Image

from nvs_jax.models.svd.config import VAEConfig, read_config
from nvs_jax.models.svd.vae.network import VAE, decode_chunks
from nvs_jax.models.weights import Weights, bind
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, from_torch

Call = Callable[[Callable[[VAE, Array], Any], np.ndarray], Any]


@pytest.fixture(scope="module")
def theirs(parity: Path) -> AutoencoderKLTemporalDecoder:
    vae = AutoencoderKLTemporalDecoder.from_pretrained(parity / "svd-tiny/vae")
    return vae.requires_grad_(False)


@pytest.fixture(scope="module")
def config(parity: Path) -> VAEConfig:
    return read_config(VAEConfig, parity / "svd-tiny/vae/config.json")


@pytest.fixture(scope="module")
def call(theirs: AutoencoderKLTemporalDecoder, config: VAEConfig) -> Call:
    """Our VAE's methods with its weights, jitted."""
    weights = from_torch(theirs, VAE(config))

    @functools.partial(jax.jit, static_argnums=1)
    def apply(weights: Weights, method: Callable[[VAE, Array], Any], x: Array) -> Any:
        return method(bind(VAE(config), weights), x)

    return lambda method, x: apply(weights, method, x)


def read_picture(path: Path) -> np.ndarray:
    """An 8-bit picture [1, H, W, 3] in [-1, 1]."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), np.float32)[None] / 127.5 - 1


def test_encode_agrees_with_diffusers(theirs: AutoencoderKLTemporalDecoder, call: Call) -> None:
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 64, 96, 3)).astype(np.float32)
    (expected,) = theirs.encode(channels_first(pictures), return_dict=False)
    mean, log_variance = call(VAE.encode_moments, pictures)
    assert relative_error(mean, channels_last(expected.mode())) <= 1e-4
    assert relative_error(log_variance, channels_last(expected.logvar)) <= 1e-4


def test_decode_agrees_with_diffusers(theirs: AutoencoderKLTemporalDecoder, call: Call) -> None:
    latents = np.random.default_rng(0).normal(size=(1, 4, 8, 12, 4)).astype(np.float32)
    (expected,) = theirs.decode(channels_first(latents[0]), num_frames=4, return_dict=False)
    assert relative_error(call(VAE.decode, latents)[0], channels_last(expected)) <= 1e-4


def test_image_latent_of_a_photo(parity: Path, call: Call) -> None:
    inputs = np.load(parity / "end_to_end/inputs.npz")
    picture = read_picture(parity.parent / "data/video/images/frame_000000.png")
    latent = call(VAE.encode, picture + 0.02 * np.moveaxis(inputs["noise_aug"], 1, -1))
    assert relative_error(latent, np.moveaxis(inputs["image_latent"], 1, -1)) <= 1e-4


@pytest.mark.parametrize("target", [5, 24])
def test_latent_of_a_warped_picture(parity: Path, call: Call, target: int) -> None:
    latents = np.load(parity / "end_to_end/inputs.npz")["warped_latents"]
    latent = call(VAE.encode, read_picture(parity / f"warp/single_f00_orbit60_t{target:02}_condition.png"))
    assert relative_error(latent[0], np.moveaxis(latents[target - 1], 0, -1)) <= 1e-4


def decoded(call: Call, method: Callable[[VAE, Array], Any], latents: np.ndarray, config: VAEConfig) -> np.ndarray:
    """Frames on the 8-bit scale of the release's latents [1, f, c, h, w]."""
    frames = call(method, np.moveaxis(latents, 2, -1) / config.scaling_factor)
    return np.clip(np.asarray(frames)[0] / 2 + 0.5, 0, 1) * 255


def test_last_frame_of_the_video(parity: Path, config: VAEConfig, call: Call) -> None:
    """The release decodes frame 24 alone, after three chunks of 8."""
    run = np.load(parity / "end_to_end/dgs.npz")
    frame = decoded(call, VAE.decode, run["latents_last"][:, 24:], config)[0]
    assert np.abs(frame - run["frames"][2]).max() <= 0.501  # the release rounds


@pytest.mark.full
@pytest.mark.parametrize("method", ["dgs", "post"])
def test_frames_of_the_first_two_chunks(parity: Path, config: VAEConfig, call: Call, method: str) -> None:
    run = np.load(parity / f"end_to_end/{method}.npz")
    frames = decoded(call, decode_chunks, run["latents_last"][:, :16], config)
    for frame, expected in zip((frames[0], frames[12]), run["frames"], strict=False):
        assert np.abs(frame - expected).max() <= 0.501
