"""The VAEs of Wan2.1 and Wan2.2 against diffusers on random weights, and what holds of them besides."""

import functools
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from jaxtyping import Array

from nvs_jax.models.wan.config import VAEConfig, parse_vae
from nvs_jax.models.wan.vae.network import VAE
from nvs_jax.models.weights import Weights, bind
from tests.models.comparing import QUICK_COMPILE, relative_error
from tests.models.svd.torch_parity import randomise
from tests.models.wan.torch_parity import stacked_from_torch, video_from_torch, video_to_torch

TOLERANCE = 1e-5
SMALL: dict[str, Any] = {
    "base_dim": 4,
    "z_dim": 3,
    "dim_mult": [1, 2, 2],
    "num_res_blocks": 1,
    "temperal_downsample": [True, True],
    "latents_mean": [0.0] * 3,
    "latents_std": [1.0] * 3,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "Wan2.1": {"num_res_blocks": 2},
    "Wan2.2": {
        "is_residual": True,
        "patch_size": 2,
        "in_channels": 12,
        "out_channels": 12,
        "decoder_base_dim": 8,
        "dim_mult": [1, 2, 2, 2],
        "temperal_downsample": [False, True, True],
    },
}


@functools.cache
def both(variant: str) -> tuple[Any, VAEConfig, Weights]:
    theirs: Any = randomise(AutoencoderKLWan(**(SMALL | VARIANTS[variant])))
    config = parse_vae({"_class_name": "AutoencoderKLWan", **theirs.config}, "config.json")
    return theirs, config, stacked_from_torch(theirs, VAE(config))


@functools.cache
def ours(variant: str, method: str):
    _, config, weights = both(variant)
    apply = jax.jit(lambda weights, x: getattr(bind(VAE(config), weights), method)(x), compiler_options=QUICK_COMPILE)
    return lambda x: np.asarray(apply(weights, x))


def video(variant: str, frames: int, seed: int = 0) -> np.ndarray:
    """Two cells high and three wide, of what neighbours have in common."""
    stride = both(variant)[1].stride
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (1, frames, 2 * stride, 3 * stride, 3)).astype(np.float32)


def latents(frames: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(1, frames, 2, 3, 3)).astype(np.float32)


def cases(quick: dict[str, tuple[int, ...]], others: tuple[int, ...]) -> list[Any]:
    """(variant, length); what compiles a program of another length of the same loop is left to the full tests."""
    return [
        pytest.param(variant, length, marks=() if length in quick[variant] else pytest.mark.full)
        for variant in VARIANTS
        for length in others
    ]


@pytest.mark.parametrize(("variant", "frames"), cases({"Wan2.1": (1, 9), "Wan2.2": (1, 5)}, (1, 5, 9, 17)))
def test_encodes_as_diffusers(variant, frames):
    given = video(variant, frames)
    theirs = video_from_torch(both(variant)[0].encode(video_to_torch(given)).latent_dist.mode())
    assert relative_error(ours(variant, "encode")(given), theirs) <= TOLERANCE


@pytest.mark.parametrize(("variant", "frames"), cases({"Wan2.1": (1, 3), "Wan2.2": (3,)}, (1, 2, 3, 5)))
def test_decodes_as_diffusers(variant, frames):
    """Which clips to [-1, 1]."""
    given = latents(frames)
    theirs = video_from_torch(both(variant)[0].decode(video_to_torch(given)).sample)
    made = ours(variant, "decode")(given)
    assert np.abs(made).max() > 0.1 and made.shape[1] == 4 * frames - 3
    assert relative_error(made.clip(-1, 1), theirs) <= TOLERANCE


@pytest.mark.parametrize("variant", VARIANTS)
def test_latents_know_nothing_of_later_frames(variant):
    given = video(variant, 9)
    changed = np.concatenate([given[:, :5], video(variant, 4, seed=2)], axis=1)
    first, second = (ours(variant, "encode")(x) for x in (given, changed))
    np.testing.assert_array_equal(first[:, :2], second[:, :2])
    assert np.abs(first[:, 2] - second[:, 2]).max() > 1e-3
    np.testing.assert_allclose(ours(variant, "encode")(given[:, :5]), first[:, :2], atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_frames_know_nothing_of_later_latents(variant):
    given = latents(3)
    short, long = (ours(variant, "decode")(given[:, :frames]) for frames in (2, 3))
    np.testing.assert_allclose(short, long[:, :5], atol=1e-6)


def test_a_long_video_is_no_larger_a_program_than_a_short_one():
    _, config, weights = both("Wan2.1")
    apply = jax.jit(lambda weights, x: bind(VAE(config), weights).encode(x))
    lines = [
        len(apply.lower(weights, jnp.asarray(video("Wan2.1", frames))).as_text().splitlines()) for frames in (9, 33)
    ]
    assert lines[0] == lines[1]


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_convolution_is_over_three_axes_on_a_gpu(variant):
    """Which cuDNN takes after transposes, and takes its time."""
    _, config, weights = both(variant)

    def there_and_back(weights: Weights, video: Array) -> Array:
        vae = bind(VAE(config), weights)
        return vae.decode(vae.encode(video))

    traced = jax.jit(there_and_back).trace(weights, jnp.zeros((1, 9, 16, 16, 3)))
    axes = re.findall(r"dim_numbers = \[b, ([\d, ]+), f\]x", traced.lower(lowering_platforms=("cuda",)).as_text())
    assert set(axes) == {"0, 1"}
