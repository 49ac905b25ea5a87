"""The blocks of the VAE's temporal decoder against diffusers, on random weights."""

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_3d_blocks import MidBlockTemporalDecoder as TorchMidBlock
from diffusers.models.unets.unet_3d_blocks import UpBlockTemporalDecoder as TorchUpBlock
from flax import nnx

from nvs_jax.models.svd.vae.decoder import MidBlockTemporalDecoder, UpBlockTemporalDecoder
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, with_weights_of


def error(ours: nnx.Module, theirs: torch.nn.Module, *shape: int) -> float:
    """Relative error of `ours` on random videos [b, f, h, w, c] with the weights of `theirs`."""
    function = with_weights_of(theirs, ours)
    videos = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    frames = channels_first(videos).flatten(0, 1)
    expected = theirs(frames, image_only_indicator=torch.zeros(shape[:2])).unflatten(0, shape[:2])
    return relative_error(function(videos), channels_last(expected))


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
