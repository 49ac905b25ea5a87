import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models import embeddings as published

from nvs_jax.models.embeddings import TimestepEmbedding, sinusoids
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import with_weights_of


@pytest.mark.parametrize("channels", [4, 7, 256, 320])
@pytest.mark.parametrize("positions", [np.arange(25), np.array([-1.5, 0.02, 1.64, 127.0])], ids=["frames", "numbers"])
def test_sinusoids_agree_with_diffusers(channels, positions):
    theirs = published.Timesteps(channels, True, downscale_freq_shift=0)(torch.from_numpy(positions))
    ours = sinusoids(jnp.asarray(positions.astype(np.float32)), channels)
    assert relative_error(ours, theirs) <= 1e-5


def test_sinusoids_of_frame_numbers_are_those_of_the_same_reals():
    np.testing.assert_array_equal(sinusoids(jnp.arange(5), 8), sinusoids(jnp.arange(5.0), 8))


def test_sinusoids_keep_float32_for_narrow_positions():
    assert sinusoids(jnp.ones((2, 3), jnp.bfloat16), 6).dtype == jnp.float32


@pytest.mark.parametrize("widths", [(8, 32, 32), (32, 128, 8), (5, 20, 7)])
def test_timestep_embedding_agrees_with_diffusers(widths):
    theirs = published.TimestepEmbedding(widths[0], widths[1], out_dim=widths[2])
    apply = with_weights_of(theirs, TimestepEmbedding(*widths))
    x = np.random.default_rng(0).normal(size=(3, widths[0])).astype(np.float32)
    assert relative_error(apply(x), theirs(torch.from_numpy(x))) <= 1e-5
