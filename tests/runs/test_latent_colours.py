import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvs_jax.models.contract import Lattice
from nvs_jax.runs.latent_colours import Colours, fit_colours, least_squares
from tests.diffusion.toys import AveragingCodec
from tests.models.toy_video import ToyVideo


@given(st.integers(0, 2**32 - 1))
def test_a_linear_map_is_found_exactly(seed):
    rng = np.random.default_rng(seed)
    latents, matrix = rng.standard_normal((2, 4, 5, 4)), rng.standard_normal((5, 3)) / 20 + 0.1
    colours = latents @ matrix[:-1] + matrix[-1]
    found = least_squares(latents, colours)
    np.testing.assert_allclose(found.matrix, matrix, atol=1e-6)
    np.testing.assert_allclose(found(latents.astype(np.float32)), colours, atol=1e-5)


def test_of_a_codec_that_averages_it_is_the_identity():
    """Of procedural scenes, whose colours are its latents."""
    model = ToyVideo()
    found = fit_colours(model.codec(), model.lattice)
    np.testing.assert_allclose(found.matrix, np.eye(4, 3), atol=1e-4)


class Mixing(AveragingCodec):
    """Latents are colours, halved in size, mixed and moved."""

    mix = np.array([[1.0, 0.5, 0.0, 0.2], [0.0, 1.0, -0.5, 0.1], [0.3, 0.0, 1.0, 0.4]], np.float32)

    def encode(self, pictures):
        return super().encode(pictures) @ self.mix + 0.5


def test_the_map_to_colours_is_found_where_there_is_one():
    codec = Mixing()
    colours = fit_colours(codec, Lattice(cell=2, cells=2, frame_step=1, channels=4, frames=5))
    picture = np.random.default_rng(0).random((1, 8, 8, 3)).astype(np.float32)
    picture = 0.45 + 0.1 * picture  # no more spread out than what it was fitted on
    latents = np.asarray(codec.encode(jnp.asarray(picture)))
    means = picture.reshape(1, 4, 2, 4, 2, 3).mean((2, 4))
    np.testing.assert_allclose(colours(latents), means, atol=2e-3)


def test_noisy_latents_are_scaled_down_to_what_clean_ones_are():
    colours = Colours(np.concatenate([np.eye(3), np.zeros((1, 3))]).astype(np.float32), 1.0)
    noise = 500 * np.random.default_rng(0).standard_normal((2, 4, 4, 3)).astype(np.float32)
    assert colours(noise).std() == pytest.approx(1.0, rel=1e-3)
