"""The blocks of the VAE's temporal decoder against diffusers, on random weights."""

import jax
import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_3d_blocks import MidBlockTemporalDecoder as TorchMidBlock
from diffusers.models.unets.unet_3d_blocks import UpBlockTemporalDecoder as TorchUpBlock
from flax import nnx

from nvs_jax.models.svd.vae_decoder import MidBlockTemporalDecoder, UpBlockTemporalDecoder
from nvs_jax.models.weights import bind
from tests.models.svd.torch_parity import from_torch, randomise, relative_error


def error(ours: nnx.Module, theirs: torch.nn.Module, *shape: int) -> float:
    """Relative error of `ours` on random videos [b, f, h, w, c] with the weights of `theirs`."""
    weights = from_torch(randomise(theirs), ours)
    videos = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    result = jax.jit(lambda weights, x: bind(ours, weights)(x))(weights, videos)
    frames = torch.from_numpy(videos).flatten(0, 1).permute(0, 3, 1, 2).contiguous()
    expected = theirs(frames, image_only_indicator=torch.zeros(shape[:2]))
    return relative_error(result, expected.permute(0, 2, 3, 1).unflatten(0, shape[:2]))


@pytest.mark.parametrize(
    ("channels", "layers", "shape"),
    [
        (32, 2, (1, 3, 4, 6)),
        (64, 1, (2, 1, 5, 3)),  # the attention is not used
        (96, 3, (2, 4, 3, 3)),  # the third residual block is not used
    ],
)
def test_mid_block(channels: int, layers: int, shape: tuple[int, ...]) -> None:
    theirs = TorchMidBlock(channels, channels, attention_head_dim=channels, num_layers=layers)
    assert error(MidBlockTemporalDecoder(channels, layers), theirs, *shape, channels) <= 1e-5


@pytest.mark.parametrize(
    ("widths", "layers", "upsample", "shape"),
    [
        ((64, 32), 3, True, (1, 3, 4, 6)),
        ((32, 32), 1, True, (2, 2, 5, 3)),
        ((64, 96), 2, False, (2, 1, 6, 4)),
    ],
)
def test_up_block(widths: tuple[int, int], layers: int, upsample: bool, shape: tuple[int, ...]) -> None:
    theirs = TorchUpBlock(*widths, num_layers=layers, add_upsample=upsample)
    assert error(UpBlockTemporalDecoder(*widths, layers, upsample=upsample), theirs, *shape, widths[0]) <= 1e-5
