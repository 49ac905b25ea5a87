"""The blocks of the VAE's encoder against diffusers, on random weights."""

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.unets.unet_2d_blocks import DownEncoderBlock2D as TorchDownBlock
from diffusers.models.unets.unet_2d_blocks import UNetMidBlock2D
from flax import nnx

from nvs_jax.models.svd.vae.attention import PixelAttention
from nvs_jax.models.svd.vae.encoder import DownEncoderBlock2D, MidBlock2D
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, with_weights_of


def error(ours: nnx.Module, theirs: torch.nn.Module, *shape: int) -> float:
    """Relative error of `ours` on random pictures [n, h, w, c] with the weights of `theirs`."""
    function = with_weights_of(theirs, ours)
    pictures = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return relative_error(function(pictures), channels_last(theirs(channels_first(pictures))))


@pytest.mark.parametrize(
    ("widths", "layers", "downsample", "size"),
    [((32, 64), 2, True, (16, 24)), ((64, 64), 1, True, (6, 10)), ((96, 32), 3, False, (5, 7))],
)
def test_down_block(widths: tuple[int, int], layers: int, downsample: bool, size: tuple[int, int]) -> None:
    ours = DownEncoderBlock2D(*widths, layers, downsample=downsample)
    theirs = TorchDownBlock(*widths, num_layers=layers, add_downsample=downsample, downsample_padding=0)
    assert error(ours, theirs, 2, *size, widths[0]) <= 1e-5


@pytest.mark.parametrize(("channels", "shape"), [(32, (1, 8, 8)), (64, (3, 4, 9)), (128, (2, 7, 5))])
def test_mid_block(channels: int, shape: tuple[int, int, int]) -> None:
    theirs = UNetMidBlock2D(channels, temb_channels=None, attention_head_dim=channels)  # pyright: ignore[reportArgumentType]
    assert error(MidBlock2D(channels), theirs, *shape, channels) <= 1e-5


@pytest.mark.parametrize(("channels", "shape"), [(32, (1, 8, 8)), (64, (3, 4, 9)), (128, (2, 7, 5))])
def test_attention(channels: int, shape: tuple[int, int, int]) -> None:
    theirs = Attention(
        channels, heads=1, dim_head=channels, eps=1e-6, norm_num_groups=32, bias=True, residual_connection=True
    )
    assert error(PixelAttention(channels), theirs, *shape, channels) <= 1e-5
