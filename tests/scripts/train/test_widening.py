from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.svd.vae.network import VAE
from nvs_jax.models.weights import bind, random_weights
from scripts.train.denoiser import first_weights, split_weights
from scripts.train.widening import widened
from tests.scripts.train.test_main import TOY

BEFORE, AFTER = 4, 6


def test_the_vae_makes_the_same_latents_and_reads_them_alike():
    narrow = TOY.codec.config
    wide = replace(narrow, latent_channels=AFTER)
    old = random_weights(VAE(narrow), 0)
    before, after = bind(VAE(narrow), old), bind(VAE(wide), widened(old, random_weights(VAE(wide), 1), BEFORE, AFTER))
    pictures = jax.random.uniform(jax.random.key(2), (2, 8, 16, 3), minval=-1)
    for known, new in zip(before.encode_moments(pictures), after.encode_moments(pictures), strict=True):
        np.testing.assert_allclose(new[..., :BEFORE], known, atol=1e-5)
        assert new.shape[-1] == AFTER and float(jnp.abs(new[..., BEFORE:]).max()) > 0
    latents = jax.random.normal(jax.random.key(3), (1, 2, 4, 8, AFTER))
    np.testing.assert_allclose(after.decode(latents), before.decode(latents[..., :BEFORE]), atol=1e-5)


@pytest.mark.full
def test_the_unet_says_the_same_and_nothing_of_new_channels():
    narrow = TOY.denoiser
    wide = replace(narrow, unet=replace(narrow.unet, in_channels=2 * AFTER, out_channels=AFTER))
    rng = np.random.default_rng(0)
    old = {name: value + 0.1 * rng.standard_normal(value.shape) for name, value in first_weights(narrow).items()}
    new = widened(old, first_weights(wide), BEFORE, AFTER)
    time_ids, embedding = jnp.ones((1, 3)), jnp.ones((1, 1, 32))

    def said(settings, weights, noisy, told):
        unet = bind(UNetSpatioTemporal(settings.unet), split_weights(weights)[0])
        return unet(jnp.concatenate([noisy, told], -1), jnp.zeros(1), embedding, time_ids)

    noisy, told = jax.random.normal(jax.random.key(1), (2, 1, 3, 8, 8, AFTER))
    known, wider = said(narrow, old, noisy[..., :BEFORE], told[..., :BEFORE]), said(wide, new, noisy, told)
    np.testing.assert_allclose(wider[..., :BEFORE], known, atol=1e-5)
    np.testing.assert_array_equal(wider[..., BEFORE:], 0)


def test_other_differences_are_refused():
    with pytest.raises(InputError, match="bias: 5 channels cannot become 7"):
        widened({"bias": jnp.zeros(5)}, {"bias": jnp.zeros(7)}, 4, 6)
