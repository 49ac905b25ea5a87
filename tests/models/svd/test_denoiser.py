from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.models.svd.denoiser import SVDDenoiser
from tests.tiny import tiny_pipeline

SHAPE = (2, 3, 4, 6, 4)


@pytest.mark.parametrize("mixed_context", [False, True])
def test_branches_in_turn_are_the_branches_together(mixed_context):
    networks = tiny_pipeline().model.networks
    rng = np.random.default_rng(0)

    def draw(*shape):
        return jnp.asarray(rng.standard_normal(shape), jnp.float32)

    denoiser = SVDDenoiser(
        weights=networks.unet,
        image_latent=draw(2, *SHAPE[2:]),
        embedding=draw(2, networks.unet_config.cross_attention_dim[0]),
        time_ids=jnp.array([6, 127, 0.02]),
        guidance_scale=jnp.linspace(1, 3, SHAPE[1]),
        config=networks.unet_config,
        mixed_context=mixed_context,
    )
    evaluate = jax.jit(lambda denoiser, x, sigma: denoiser(x, sigma))
    x, sigma = draw(*SHAPE), jnp.array(2.0)
    together = evaluate(denoiser, x, sigma)
    in_turn = evaluate(replace(denoiser, sequential=True), x, sigma)
    # The same sums in another order: float32 rounding, through the whole network.
    np.testing.assert_allclose(in_turn, together, rtol=1e-4, atol=1e-4)
    assert float(jnp.abs(together - evaluate(replace(denoiser, embedding=0 * denoiser.embedding), x, sigma)).max()) > 0
