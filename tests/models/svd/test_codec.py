import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Codec
from nvs_jax.embedded import EMBEDDED_NAME
from nvs_jax.geometry import orbit
from nvs_jax.models.svd.codec import SVDCodec
from nvs_jax.pipeline import load
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings import MemorySettings, RenderSettings, SVDSettings
from tests.models.svd.jaxprs import equations
from tests.tiny import tiny_pipeline


@pytest.fixture(scope="module")
def codec():
    return tiny_pipeline().model.codec()


def test_meets_the_contract(codec):
    assert isinstance(codec, Codec)


def test_encode_is_in_the_units_that_decode_expects(codec):
    pictures = jnp.asarray(np.random.default_rng(0).random((2, 8, 12, 3), np.float32))
    unscaled = codec.encode_unscaled(2 * pictures - 1)
    np.testing.assert_allclose(codec.encode(pictures), unscaled * codec.config.scaling_factor, rtol=1e-5, atol=1e-6)
    assert codec.decode(codec.encode(pictures)[None]).shape == (1, *pictures.shape)


def test_the_release_divides_by_its_own_number():
    model = tiny_pipeline().model
    pictures = jnp.ones((1, 4, 4, 3))
    scales = (SVDSettings(target_scale=scale) for scale in (None, 5.6))
    ours, release = (model.told(RenderSettings(svd=scale)).codec() for scale in scales)
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


def test_a_cell_is_known_by_half_where_a_fifth_of_it_is_hidden(codec):
    visible = jnp.ones((1, 8, 4)).at[0, :2, :2].set(0.8).at[0, 2:4, :2].set(0.6).at[0, 4:6, :2].set(0.95)
    known = codec.pool_visible(visible)
    np.testing.assert_allclose(known[0, :, 0], [0.5, 0.0, 0.957, 1.0], atol=1e-3)
    np.testing.assert_array_equal(known[0, :, 1], 1)


@pytest.mark.full
def test_the_embedded_vae_decodes_in_bfloat16_to_40_db():
    pipeline = load(EMBEDDED_NAME, dtype="float32")
    codec = pipeline.model.codec()
    assert isinstance(codec, SVDCodec)
    scene = random_scene(1, SceneSettings())
    _, intrinsics = default_view(32, 64, SceneSettings())
    seen = render_path(scene, orbit(4.0, 4.0, 5.0, 3), intrinsics, 32, 64)
    latents = codec.encode(seen.picture)[None]
    narrow = dataclasses.replace(codec, decode_dtype="bfloat16").decode(latents)
    assert narrow.dtype == jnp.float32
    error = float(jnp.square(narrow - codec.decode(latents)).mean())
    assert 1e-9 < error < 1e-4


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_setting_says_what_is_decoded_in_and_not_what_is_encoded_in(dtype):
    codec = tiny_pipeline().model.told(RenderSettings(memory=MemorySettings(vae_dtype=dtype))).codec()
    encoded = jax.make_jaxpr(codec.encode)(jnp.ones((1, 8, 8, 3)))
    decoded = jax.make_jaxpr(codec.decode)(jnp.ones((1, 2, 4, 4, 4)))
    assert _dtypes_of_convolutions(encoded) == {"float32"}
    assert _dtypes_of_convolutions(decoded) == {dtype}


def _dtypes_of_convolutions(program) -> set[str]:
    products = ("conv_general_dilated", "dot_general")
    return {str(e.outvars[0].aval.dtype) for e in equations(program.jaxpr) if e.primitive.name in products}
