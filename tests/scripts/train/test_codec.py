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


@pytest.mark.full
def test_a_crop_is_not_asked_for_what_it_lends_to_another():
    """Where crop 0 has latents of crop 1 its error does not count, and nothing else depends on what it lends."""
    own = replace(TOY.codec, of_another=0.5, divergence=0.0)
    weights = random_weights(VAE(own.config), 0)
    pictures = jax.random.uniform(jax.random.key(1), (2, 2, 8, 16, 3), minval=-1)

    def taken(seed: int) -> np.ndarray:
        _, for_others = jax.random.split(jax.random.key(seed))
        return np.asarray(random_rectangles(for_others, 2, (4, 8), 0.5))

    seed = next(seed for seed in range(100) if taken(seed)[0].any() and not taken(seed)[1].any())
    measure = jax.jit(
        jax.grad(lambda x, settings: codec_loss(weights, x, jax.random.key(seed), settings)), static_argnums=1
    )
    with_others, alone = measure(pictures, own), measure(pictures, replace(own, of_another=0.0))
    count = jnp.size(pictures)
    lent = int(taken(seed).sum()) * 4 * 2 * 3
    # The gradient of what was lent is that of a crop on its own, but for the number of pixels that count.
    np.testing.assert_allclose(with_others[1] * (count - lent) / count, alone[1], rtol=2e-4, atol=1e-7)
    assert float(jnp.abs(with_others[0] * (count - lent) / count - alone[0]).max()) > 1e-6


def test_an_error_is_not_counted_where_latents_are_anothers():
    own = replace(TOY.codec, of_another=1.0, divergence=0.0)
    weights = jax.tree.map(jnp.zeros_like, random_weights(VAE(own.config), 0))
    key = jax.random.key(3)
    _, for_others = jax.random.split(key)
    fields = np.asarray(random_rectangles(for_others, 2, (4, 8), 1.0)).repeat(2, 1).repeat(2, 2)
    pictures = jnp.asarray(np.where(fields, 5.0, 0.5))[:, None, :, :, None] * jnp.ones((2, 2, 8, 16, 3))
    assert float(jax.jit(codec_loss, static_argnums=3)(weights, pictures, key, own)) == pytest.approx(0.25, rel=1e-6)
