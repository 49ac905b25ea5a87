import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Codec
from nvs_jax.settings import ConditioningSettings
from tests.tiny import tiny_pipeline


@pytest.fixture(scope="module")
def codec():
    return tiny_pipeline().model.codec(ConditioningSettings())


def test_meets_the_contract(codec):
    assert isinstance(codec, Codec)
    assert codec.latent_shape(5, 24, 32) == (5, 12, 16, 4)


def test_encode_is_in_the_units_that_decode_expects(codec):
    pictures = jnp.asarray(np.random.default_rng(0).random((2, 8, 12, 3), np.float32))
    unscaled = codec.encode_unscaled(2 * pictures - 1)
    np.testing.assert_allclose(codec.encode(pictures), unscaled * codec.config.scaling_factor, rtol=1e-5, atol=1e-6)
    assert codec.decode(codec.encode(pictures)[None]).shape == (1, *pictures.shape)


def test_the_release_divides_by_its_own_number():
    model = tiny_pipeline().model
    pictures = jnp.ones((1, 4, 4, 3))
    ours, release = (model.codec(ConditioningSettings(target_scale=scale)) for scale in (None, 5.6))
    np.testing.assert_allclose(ours.encode(pictures) / 5.6 / 0.18215, release.encode(pictures), rtol=1e-5)


@pytest.mark.parametrize(("claimed", "cell_is_hole"), [(0, False), (1, True), (4, True)])
def test_a_fifth_of_its_pixels_makes_a_hole(codec, claimed, cell_is_hole):
    """Cells of 2x2 pixels here: one pixel is a quarter."""
    mask = np.zeros((1, 4, 4), bool)
    block = np.zeros(4, bool)
    block[:claimed] = True
    mask[0, :2, :2] = block.reshape(2, 2)
    pooled = np.asarray(codec.pool_mask(jnp.asarray(mask)))
    assert pooled[0, 0, 0] == cell_is_hole
    assert not pooled[0, 1:].any()
