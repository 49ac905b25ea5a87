import numpy as np
import pytest
from diffusers.models import downsampling, upsampling

from nvs_jax.models.svd.resampling import Downsample2D, Upsample2D
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, with_weights_of

SHAPES = [(1, 4, 6, 8), (3, 2, 2, 5), (2, 8, 4, 32)]


@pytest.mark.parametrize("shape", SHAPES)
def test_downsampling_agrees_with_diffusers(shape):
    theirs = downsampling.Downsample2D(shape[-1], use_conv=True, name="op")
    apply = with_weights_of(theirs, Downsample2D(shape[-1]))
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert relative_error(apply(x), channels_last(theirs(channels_first(x)))) <= 1e-5


@pytest.mark.parametrize("shape", SHAPES)
def test_downsampling_padded_after_only_agrees_with_diffusers(shape):
    theirs = downsampling.Downsample2D(shape[-1], use_conv=True, padding=0, name="op")
    apply = with_weights_of(theirs, Downsample2D(shape[-1], padding=(0, 1)))
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert relative_error(apply(x), channels_last(theirs(channels_first(x)))) <= 1e-5


@pytest.mark.parametrize("shape", [*SHAPES, (1, 3, 5, 7)])
def test_upsampling_agrees_with_diffusers(shape):
    theirs = upsampling.Upsample2D(shape[-1], use_conv=True)
    apply = with_weights_of(theirs, Upsample2D(shape[-1]))
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert relative_error(apply(x), channels_last(theirs(channels_first(x)))) <= 1e-5
