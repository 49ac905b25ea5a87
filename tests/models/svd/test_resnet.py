import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models import resnet as published

from nvs_jax.models.svd.resnet import AlphaBlender, ResnetBlock2D, SpatioTemporalResBlock, TemporalResnetBlock
from nvs_jax.models.weights import bind, random_weights
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, with_weights_of

TOLERANCE = 1e-5


def _normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "temb_channels", "epsilon", "size"),
    [(32, 32, 48, 1e-5, (4, 6)), (64, 96, None, 1e-6, (5, 3)), (96, 32, 16, 1e-2, (1, 7))],
)
def test_resnet_block_2d_agrees_with_diffusers(in_channels, out_channels, temb_channels, epsilon, size):
    theirs = published.ResnetBlock2D(
        in_channels=in_channels, out_channels=out_channels, temb_channels=temb_channels, eps=epsilon
    )
    ours = ResnetBlock2D(in_channels, out_channels, temb_channels=temb_channels, epsilon=epsilon)
    apply = with_weights_of(theirs, ours)
    x = _normal(1, 3, *size, in_channels)
    temb = None if temb_channels is None else _normal(2, 3, temb_channels)
    expected = theirs(channels_first(x), None if temb is None else torch.from_numpy(temb))
    assert relative_error(apply(x, temb), channels_last(expected)) <= TOLERANCE


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "temb_channels", "epsilon", "size"),
    [(32, 32, 48, 1e-5, (5, 4, 2)), (64, 32, None, 1e-6, (1, 3, 3)), (32, 96, 16, 1e-2, (7, 1, 2))],
)
def test_temporal_resnet_block_agrees_with_diffusers(in_channels, out_channels, temb_channels, epsilon, size):
    theirs = published.TemporalResnetBlock(in_channels, out_channels, temb_channels=temb_channels, eps=epsilon)
    apply = with_weights_of(
        theirs, TemporalResnetBlock(in_channels, out_channels, temb_channels=temb_channels, epsilon=epsilon)
    )
    x = _normal(1, 2, *size, in_channels)
    temb = None if temb_channels is None else _normal(2, 2, temb_channels)
    frames = None if temb is None else torch.from_numpy(np.repeat(temb[:, None], size[0], axis=1))
    expected = theirs(channels_first(x).transpose(1, 2).contiguous(), frames).transpose(1, 2)
    assert relative_error(apply(x, temb), channels_last(expected)) <= TOLERANCE


@pytest.mark.parametrize(
    ("channels", "temb_channels", "epsilons", "strategy", "switch", "size"),
    [
        ((32, 64), 48, (1e-5, 1e-5), "learned_with_images", False, (5, 4, 6)),
        ((64, 64), None, (1e-6, 1e-2), "learned", True, (3, 5, 2)),
        ((96, 32), 16, (1e-2, 1e-5), "fixed", False, (1, 3, 3)),
    ],
)
def test_spatio_temporal_block_agrees_with_diffusers(channels, temb_channels, epsilons, strategy, switch, size):
    theirs = published.SpatioTemporalResBlock(
        *channels,
        temb_channels=temb_channels,
        eps=epsilons[0],
        temporal_eps=epsilons[1],
        merge_strategy=strategy,
        switch_spatial_to_temporal_mix=switch,
    )
    ours = SpatioTemporalResBlock(
        *channels,
        temb_channels=temb_channels,
        epsilon=epsilons[0],
        temporal_epsilon=epsilons[1],
        blender=AlphaBlender("fixed" if strategy == "fixed" else "learned", switch=switch),
    )
    apply = with_weights_of(theirs, ours)
    x = _normal(1, 2, *size, channels[0])
    temb = None if temb_channels is None else _normal(2, 2, temb_channels)
    expected = theirs(
        channels_first(x).flatten(0, 1),
        None if temb is None else torch.from_numpy(temb.repeat(size[0], axis=0)),
        torch.zeros(2, size[0]),
    )
    assert relative_error(apply(x, temb), channels_last(expected.unflatten(0, (2, -1)))) <= TOLERANCE


def test_the_temporal_norms_epsilon_follows_the_spatial_one():
    block = SpatioTemporalResBlock(32, 32, temb_channels=None, epsilon=1e-3)
    assert block.temporal_res_block.norm2.epsilon == 1e-3


def test_a_block_stays_finite_in_bfloat16():
    block = SpatioTemporalResBlock(32, 32, temb_channels=8, epsilon=1e-6)
    weights = random_weights(block, 0)
    x = 1e4 * jax.random.normal(jax.random.key(1), (1, 3, 4, 4, 32), jnp.bfloat16)
    y = jax.jit(lambda w, x: bind(block, w)(x, jnp.ones((1, 8), x.dtype)))(weights, x)
    assert y.dtype == jnp.bfloat16
    assert jnp.isfinite(y).all()
