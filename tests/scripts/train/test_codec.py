from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.models.svd.vae.network import VAE
from nvs_jax.models.weights import random_weights
from scripts.train.codec import codec_loss, random_rectangles
from tests.scripts.train.test_main import TOY


def test_rectangles_lie_in_the_field_and_are_as_large_as_they_should_be():
    fields = np.asarray(random_rectangles(jax.random.key(0), 2000, (12, 16), 0.5))
    some = fields[fields.any((1, 2))]
    assert len(some) / len(fields) == pytest.approx(0.5, abs=0.05)
    rows, columns = some.any(2).sum(1), some.any(1).sum(1)
    assert (some.sum((1, 2)) == rows * columns).all()
    assert rows.min() == 3 and rows.max() == 9 and columns.min() == 4 and columns.max() == 12
    corner, centre = some[:, 0, 0].mean(), some[:, 6, 8].mean()
    assert 0 < corner < centre < 1


def test_the_loss_does_not_ask_for_what_is_anothers():
    """With everything another's nothing is left but the divergence; no gradient reaches another's latents."""
    own = replace(TOY.codec, of_another=0.0)
    weights = random_weights(VAE(own.config), 0)
    pictures = jax.random.uniform(jax.random.key(1), (2, 2, 8, 16, 3), minval=-1)
    measure = jax.jit(codec_loss, static_argnums=3)
    whole = measure(weights, pictures, jax.random.key(2), own)
    parts = measure(weights, pictures, jax.random.key(2), replace(own, of_another=1.0))
    assert np.isfinite(parts) and float(parts) != float(whole)
    changed = pictures.at[0].set(-pictures[0])
    assert float(measure(weights, changed, jax.random.key(2), own)) != float(whole)


def test_an_error_is_not_counted_where_latents_are_anothers():
    own = replace(TOY.codec, of_another=1.0, divergence=0.0)
    weights = jax.tree.map(jnp.zeros_like, random_weights(VAE(own.config), 0))
    key = jax.random.key(3)
    _, for_others = jax.random.split(key)
    fields = np.asarray(random_rectangles(for_others, 2, (4, 8), 1.0)).repeat(2, 1).repeat(2, 2)
    pictures = jnp.asarray(np.where(fields, 5.0, 0.5))[:, None, :, :, None] * jnp.ones((2, 2, 8, 16, 3))
    assert float(jax.jit(codec_loss, static_argnums=3)(weights, pictures, key, own)) == pytest.approx(0.25, rel=1e-6)
