"""Frames agree in what they fill in twice, and are left alone in everything else."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Agreement, Unguided
from nvs_jax.errors import InputError
from nvs_jax.geometry import intrinsics_matrix, orbit
from nvs_jax.pipeline import Pipeline
from nvs_jax.steering.conditions import from_photo, from_pictures
from tests.models.toy_video import ToyVideo
from tests.tiny import HEIGHT, WIDTH, scene

F, H, W, C = 3, 2, 4, 2
MU = jax.random.normal(jax.random.key(0), (2, F, H, W, C))
KEY, TRUST = jax.random.key(1), jnp.ones(F)
EACH = jnp.arange(F * H * W).reshape(F, H, W)
THEMSELVES = jnp.stack([EACH[jnp.arange(F)]] * F)  # frame j's own cells, whichever frame asks: nothing has moved


def agreeing(hidden, same, strength=1.0, low=0.1):
    return Agreement(Unguided(), hidden, same, strength, low)


def test_what_is_hidden_in_several_frames_is_the_mean_of_those_in_which_it_is():
    hidden = jnp.ones((1, F, H, W)).at[0, 0].set(0.0)
    made = agreeing(hidden, (THEMSELVES, jnp.ones((F, F, H, W), bool)))
    found = made.estimate(MU, jnp.float32(1.0), TRUST, KEY)
    mean = MU[:, 1:].mean(1)
    np.testing.assert_array_equal(found[:, 0], MU[:, 0])
    for frame in (1, 2):
        np.testing.assert_allclose(found[:, frame], mean, rtol=1e-6)
    again = made.estimate(found, jnp.float32(1.0), TRUST, KEY)
    np.testing.assert_allclose(again, found, rtol=1e-5)
    half = replace(made, strength=0.5).estimate(MU, jnp.float32(1.0), TRUST, KEY)
    np.testing.assert_allclose(half, (MU + found) / 2, rtol=1e-5, atol=1e-6)


def test_a_cell_that_no_other_frame_shows_stays_and_so_does_all_at_small_noise():
    hidden = jnp.ones((1, F, H, W))
    alone = jnp.broadcast_to(jnp.eye(F, dtype=bool)[:, :, None, None], (F, F, H, W))
    unmoved = agreeing(hidden, (THEMSELVES, alone)).estimate(MU, jnp.float32(1.0), TRUST, KEY)
    np.testing.assert_allclose(unmoved, MU, rtol=1e-6)
    everywhere = agreeing(hidden, (THEMSELVES, jnp.ones_like(alone)))
    np.testing.assert_array_equal(everywhere.estimate(MU, jnp.float32(0.05), TRUST, KEY), MU)


def test_gradients_are_those_of_differences():
    with jax.enable_x64(True):
        hidden = jax.random.uniform(jax.random.key(2), (1, F, H, W), jnp.float64)
        made = agreeing(hidden, (THEMSELVES, jnp.ones((F, F, H, W), bool)), 0.7)

        def loss(mu):
            return jnp.sum(jnp.sin(made.estimate(mu, jnp.float64(1.0), TRUST, KEY)))

        mu = MU.astype(jnp.float64)
        along = jax.random.normal(jax.random.key(3), mu.shape, jnp.float64)
        slope = jnp.vdot(jax.grad(loss)(mu), along)
        np.testing.assert_allclose(slope, (loss(mu + 1e-6 * along) - loss(mu - 1e-6 * along)) / 2e-6, rtol=1e-6)


def test_settings_make_it_of_a_photo_with_its_depth_and_of_nothing_else():
    plain = ToyVideo.defaults
    settings = replace(plain, guidance=replace(plain.guidance, agreement=0.5, hole_strength=0.5))
    K, path, pipeline = intrinsics_matrix(20.0, HEIGHT, WIDTH), orbit(6.0, 6.0, 8.0, 9), Pipeline(ToyVideo())
    conditions = from_photo(*scene(), K, path, settings)
    made = pipeline.prepare(conditions, 0, settings).guidance
    assert isinstance(made, Agreement)
    index, exists = made.same
    assert index.shape[1:] == made.hidden.shape[1:] and bool(exists[:, 1:].any())
    assert from_photo(*scene(), K, path, plain).seen is None
    elsewhere = from_pictures(conditions.picture, np.asarray(conditions.warp.pictures), conditions.holes[1:])
    with pytest.raises(InputError, match=r"guidance\.agreement takes a photo along a path"):
        pipeline.prepare(elsewhere, 0, settings)
