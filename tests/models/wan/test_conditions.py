"""What models are shown of a video, against the published pipelines on the same VAE, and where it reaches them."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models.transformers.transformer_wan_vace import WanVACETransformer3DModel
from diffusers.pipelines.wan.pipeline_wan_i2v import WanImageToVideoPipeline
from diffusers.pipelines.wan.pipeline_wan_vace import WanVACEPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

from nvs_jax.geometry import Warp
from nvs_jax.models.wan.codec import WanCodec
from nvs_jax.models.wan.conditions import _pixels, first_picture, warps_and_holes
from tests.models.comparing import QUICK_COMPILE, relative_error
from tests.models.wan.tiny import FRAMES
from tests.models.wan.torch_parity import video_from_torch
from tests.models.wan.vae.test_network import TOLERANCE, both

RNG = np.random.default_rng(0)
PICTURE = jnp.asarray(RNG.random((16, 24, 3), np.float32))
PICTURES = jnp.asarray(RNG.random((FRAMES - 1, 16, 24, 3), np.float32))
HOLE = jnp.asarray(RNG.random((FRAMES - 1, 16, 24)) < 0.3)
WARP = Warp(PICTURES, ~HOLE, HOLE)


def scheduler() -> Any:
    return FlowMatchEulerDiscreteScheduler()


def codec() -> tuple[Any, WanCodec]:
    theirs, config, weights = both("Wan2.1")
    config = replace(config, latents_mean=(0.1, -0.2, 0.3), latents_std=(0.5, 0.6, 0.7))
    theirs.register_to_config(latents_mean=config.latents_mean, latents_std=config.latents_std)
    return theirs, WanCodec(weights, config)


def as_torch(video: np.ndarray) -> torch.Tensor:
    """[f, H, W, 3] in [0, 1] as [1, 3, f, H, W] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(2 * video - 1, -1, 0)))[None]


def test_a_first_picture_is_shown_as_published():
    theirs, ours = codec()
    pipeline: Any = WanImageToVideoPipeline(None, None, theirs, scheduler())  # pyright: ignore[reportArgumentType]
    pipeline.vae_scale_factor_spatial = ours.config.stride
    with torch.no_grad():
        _, expected = pipeline.prepare_latents(
            as_torch(np.asarray(PICTURE)[None])[:, :, 0], 1, 3, 16, 24, FRAMES, torch.float32, torch.device("cpu")
        )
    made = jax.jit(first_picture, static_argnums=2, compiler_options=QUICK_COMPILE)(ours, PICTURE, FRAMES)
    assert relative_error(made, video_from_torch(expected)) <= TOLERANCE


def test_warps_and_holes_are_shown_as_published():
    theirs, ours = codec()
    tiny: Any = WanVACETransformer3DModel(
        num_attention_heads=1, attention_head_dim=12, ffn_dim=4, num_layers=1, vace_layers=[0], vace_in_channels=22
    )
    pipeline: Any = WanVACEPipeline(None, None, theirs, scheduler(), tiny)  # pyright: ignore[reportArgumentType]
    holes = np.concatenate([np.zeros((1, 16, 24), bool), np.asarray(HOLE)])
    video = np.concatenate([np.asarray(PICTURE)[None], np.where(holes[1:, ..., None], 0.5, np.asarray(PICTURES))])
    mask = torch.from_numpy(np.repeat(holes[None, None], 3, axis=1).astype(np.float32))
    with torch.no_grad():
        latents = pipeline.prepare_video_latents(as_torch(video), mask, [[]], device=torch.device("cpu"))
        expected = torch.cat([latents, pipeline.prepare_masks(mask, [[]])], dim=1)
    made = jax.jit(warps_and_holes, compiler_options=QUICK_COMPILE)(ours, PICTURE, WARP)
    assert relative_error(made, video_from_torch(expected)) <= TOLERANCE


@pytest.mark.parametrize("frames", [5, 81])
def test_a_latent_frame_is_told_of_the_holes_of_its_middle(frames):
    """By the published rule of nearest frames."""
    mask = RNG.random((frames, 4, 8)) < 0.5
    latents = 1 + (frames - 1) // 4
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(mask.astype(np.float32))[None, None], size=(latents, 4, 8), mode="nearest-exact"
    )[0, 0].numpy()
    made = np.asarray(_pixels(jnp.asarray(mask), latents, 4)).reshape(latents, 1, 2, 4, 4)
    np.testing.assert_array_equal(made.transpose(0, 1, 3, 2, 4).reshape(latents, 4, 8), expected)
