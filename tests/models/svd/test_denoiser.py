from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.models.svd.denoiser import SVDDenoiser
from tests.tiny import tiny_networks

SHAPE = (2, 3, 4, 6, 4)


@pytest.fixture(scope="module")
def denoiser():
    networks = tiny_networks()
    rng = np.random.default_rng(0)

    def draw(*shape):
        return jnp.asarray(rng.standard_normal(shape), jnp.float32)

    return SVDDenoiser(
        weights=networks.unet,
        image_latent=draw(2, *SHAPE[2:]),
        embedding=draw(2, networks.unet_config.cross_attention_dim[0]),
        time_ids=jnp.array([6, 127, 0.02]),
        guidance_scale=jnp.ones(SHAPE[1]),
        config=networks.unet_config,
    )


@pytest.fixture(scope="module")
def x():
    return jax.random.normal(jax.random.key(0), SHAPE)


EVALUATE = jax.jit(lambda denoiser, x, sigma: denoiser(x, sigma))


@pytest.mark.parametrize("mixed_context", [pytest.param(False, marks=pytest.mark.full), True])
def test_branches_in_turn_are_the_branches_together(denoiser, x, mixed_context):
    denoiser = replace(denoiser, guidance_scale=jnp.linspace(1, 3, SHAPE[1]), mixed_context=mixed_context)
    sigma = jnp.array(2.0)
    together = EVALUATE(denoiser, x, sigma)
    in_turn = EVALUATE(replace(denoiser, sequential=True), x, sigma)
    # The same sums in another order: float32 rounding, through the whole network.
    np.testing.assert_allclose(in_turn, together, rtol=1e-4, atol=1e-4)
    assert float(jnp.abs(together - EVALUATE(replace(denoiser, embedding=0 * denoiser.embedding), x, sigma)).max()) > 0


@pytest.mark.parametrize("mixed_context", [pytest.param(False, marks=pytest.mark.full), True])
def test_at_a_scale_of_one_the_conditional_branch_is_all(denoiser, x, mixed_context):
    denoiser = replace(denoiser, mixed_context=mixed_context)
    both = EVALUATE(denoiser, x, jnp.array(2.0))
    # The same sums in a batch half the size: float32 rounding, through the whole network.
    np.testing.assert_allclose(EVALUATE(replace(denoiser, guided=False), x, jnp.array(2.0)), both, rtol=1e-4, atol=1e-4)


def test_one_branch_is_half_the_work(denoiser, x):
    def work(denoiser):
        cost = jax.jit(lambda x: denoiser(x, jnp.array(2.0))).lower(x).cost_analysis()
        assert cost is not None
        return cost["flops"]

    assert 0.45 < work(replace(denoiser, guided=False)) / work(denoiser) < 0.55


def test_guidance_is_off_outside_its_interval(denoiser, x):
    strong = replace(denoiser, guidance_scale=jnp.linspace(2, 3, SHAPE[1]))
    limited = replace(strong, interval=jnp.array([1.0, 10.0]))
    for sigma, expected in ((5.0, strong), (0.5, replace(strong, guided=False)), (20.0, replace(strong, guided=False))):
        ours, theirs = (EVALUATE(d, x, jnp.array(sigma)) for d in (limited, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.full
def test_layers_computed_again_give_the_same_gradient_and_keep_less(denoiser, x):
    def gradient(denoiser, x):
        x0, pull_back = jax.vjp(lambda x: denoiser.probe(x, jnp.array(2.0)), x)
        return pull_back(x0)[0]

    def kept(denoiser):
        """Bytes between the forward and the backward pass."""
        pull_back = jax.eval_shape(lambda x: jax.vjp(lambda x: denoiser.probe(x, jnp.array(2.0)), x)[1], x)
        return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(pull_back))

    again, once = denoiser, replace(denoiser, remat=False)
    ours, theirs = (jax.jit(gradient)(d, x) for d in (again, once))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    weights = sum(leaf.nbytes for leaf in jax.tree.leaves(denoiser))
    assert kept(again) - weights < (kept(once) - weights) / 3


def test_one_picture_conditions_every_video_of_a_batch(denoiser, x):
    one = replace(denoiser, image_latent=denoiser.image_latent[:1], embedding=denoiser.embedding[:1])
    same = replace(
        denoiser,
        image_latent=jnp.stack([denoiser.image_latent[0]] * 2),
        embedding=jnp.stack([denoiser.embedding[0]] * 2),
    )
    found, expected = (EVALUATE(each, x, jnp.array(2.0)) for each in (one, same))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert jax.eval_shape(one.probe, x, jnp.array(2.0)).shape == x.shape


def test_conditions_of_another_number_of_videos_are_refused(denoiser, x):
    with pytest.raises(InputError, match="3 videos, but conditions of 2 and 2"):
        denoiser(jnp.concatenate([x, x[:1]]), jnp.array(2.0))
