import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    Blend,
    Churn,
    Codec,
    Denoiser,
    DirectGuidance,
    Euler,
    PosteriorGuidance,
    Unguided,
    closed_form_trust,
    init,
    karras_sigmas,
    normal,
    run_steps,
    sample,
    step,
)
from nvs_jax.diffusion.randomness import fold_in, guidance_keys
from nvs_jax.pytree import pytree
from tests.compilations import count_compilations
from tests.diffusion.toys import AveragingCodec, FlowMatchingDenoiser, GaussianDenoiser

SHAPE = (1, 5, 4, 6, 3)
TRUST = closed_form_trust(jnp.arange(5.0), 700.0)


@pytest.fixture
def mean():
    return jax.random.normal(jax.random.key(1), SHAPE)


@pytest.fixture
def noise():
    return jax.random.normal(jax.random.key(2), SHAPE)


def test_euler_tends_to_the_exact_solution_at_first_order(mean, noise):
    with jax.enable_x64(True):
        denoiser = GaussianDenoiser(jnp.asarray(mean, jnp.float64))
        x = jnp.asarray(noise, jnp.float64)
        trust = closed_form_trust(jnp.arange(5.0), 80.0)
        exact = denoiser.solution(x * jnp.sqrt(80.0**2 + 1), 80.0, 0.0)
        errors = [
            float(jnp.abs(sample(denoiser, Unguided(), trust, x, karras_sigmas(n, 80.0)) - exact).max())
            for n in (100, 200, 400)
        ]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (np.abs(orders - 1) < 0.15).all(), errors


def test_flow_matching_behind_the_contract_is_the_same_model(mean, noise):
    flow, gaussian = FlowMatchingDenoiser(mean), GaussianDenoiser(mean)
    assert isinstance(flow, Denoiser)
    sigmas = karras_sigmas(10, 80.0)
    np.testing.assert_allclose(
        sample(flow, Unguided(), TRUST, noise, sigmas),
        sample(gaussian, Unguided(), TRUST, noise, sigmas),
        rtol=1e-4,
        atol=1e-4,
    )


def test_a_codec_with_a_temporal_stride_goes_through_the_solver():
    """Nine frames, three latent frames: the guided result decodes to what was given."""
    codec = AveragingCodec()
    assert isinstance(codec, Codec)
    video = jnp.repeat(jnp.repeat(jax.random.uniform(jax.random.key(3), (9, 4, 4, 3)), 2, 1), 2, 2)
    video = video.at[1:5].set(video[1]).at[5:9].set(video[5])
    target = codec.encode(video)[None]
    hole = codec.pool_mask(jnp.zeros(video.shape[:3], bool))[None]
    trust = closed_form_trust(codec.pool_frames(jnp.zeros(9)), 700.0)
    denoiser = FlowMatchingDenoiser(jnp.zeros_like(target))
    noise = jax.random.normal(jax.random.key(4), target.shape)
    latents = sample(denoiser, DirectGuidance(Blend(target, hole)), trust, noise, karras_sigmas(4))
    np.testing.assert_allclose(codec.decode(latents)[0], video, atol=1e-5)


@pytest.mark.parametrize("guidance", [DirectGuidance, PosteriorGuidance])
def test_scan_equals_steps_and_segments(mean, noise, guidance):
    denoiser = GaussianDenoiser(mean)
    rule = guidance(Blend(mean + 1, jnp.zeros(SHAPE[:-1], bool)))
    sigmas = karras_sigmas(6, 80.0)
    whole = sample(denoiser, rule, TRUST, noise, sigmas)
    carry = init(noise * jnp.sqrt(sigmas[0] ** 2 + 1))
    arguments = {"denoiser": denoiser, "guidance": rule, "trust": TRUST, "solver": Euler()}
    for sigma, sigma_next in itertools.pairwise(sigmas):
        carry = step(carry, sigma, sigma_next, **arguments)
    np.testing.assert_allclose(carry.x, whole, rtol=1e-4, atol=1e-4)
    carry = init(noise * jnp.sqrt(sigmas[0] ** 2 + 1))
    for first in (0, 3):
        carry = run_steps(carry, sigmas[first : first + 4], denoiser, rule, TRUST)
    np.testing.assert_allclose(carry.x, whole, rtol=1e-5, atol=1e-5)
    assert carry.step == 6


@pytree
class Shaking:
    """A stochastic guidance: both hooks add noise of their own."""

    size: float = 0.1

    def correct(self, x, sigma, w, denoiser, key):
        return x + self.size * sigma * normal(key, x)

    def estimate(self, x0, sigma, w, key):
        return x0 + self.size * normal(key, x0)


@pytest.mark.parametrize("solver", [Euler(), Churn()])
def test_a_stochastic_guidance_draws_anew_in_every_step_and_alike_in_every_segment(mean, noise, solver):
    denoiser, sigmas, key = GaussianDenoiser(mean), karras_sigmas(6, 80.0), jax.random.key(5)
    whole = sample(denoiser, Shaking(), TRUST, noise, sigmas, solver, key)
    carry = init(noise * jnp.sqrt(sigmas[0] ** 2 + 1), solver, key)
    for first in (0, 3):
        carry = run_steps(carry, sigmas[first : first + 4], denoiser, Shaking(), TRUST, solver)
    np.testing.assert_allclose(carry.x, whole, rtol=1e-5, atol=1e-5)
    other = sample(denoiser, Shaking(), TRUST, noise, sigmas, solver, jax.random.key(6))
    assert np.abs(other - whole).max() > 0.1


def test_no_two_draws_of_a_run_are_alike(noise):
    """Of two steps, the two hooks of a guidance in each, and the solver."""
    key = jax.random.key(5)
    keys = [one for step in (0, 1) for one in (*guidance_keys(key, jnp.int32(step)), fold_in(key, step))]
    drawn = np.stack([normal(one, noise).ravel() for one in keys])
    assert np.abs(np.corrcoef(drawn) - np.eye(len(keys))).max() < 0.2  # of 360 values: 4 standard deviations


@pytest.mark.parametrize("solver", [Euler(), Churn()])
def test_a_key_a_video_makes_each_what_it_is_alone(mean, noise, solver):
    keys, noises = jax.random.split(jax.random.key(3), 2), jnp.concatenate([noise, -noise])
    given = GaussianDenoiser(mean), Shaking(), TRUST
    together = sample(*given, noises, karras_sigmas(4), solver, keys)
    alone = [sample(*given, noises[i : i + 1], karras_sigmas(4), solver, keys[i]) for i in range(2)]
    np.testing.assert_allclose(together, jnp.concatenate(alone), rtol=1e-5, atol=1e-5)


def test_new_data_compile_nothing(mean, noise):
    def render(factor, spread, sigma_max):
        rule = DirectGuidance(Blend(mean * factor, jnp.zeros(SHAPE[:-1], bool)))
        trust = closed_form_trust(factor * jnp.arange(5.0), sigma_max)
        return sample(GaussianDenoiser(mean, spread), rule, trust, noise, karras_sigmas(3, sigma_max))

    with count_compilations() as first:
        render(1.0, 0.5, 700.0)
    with count_compilations() as second:
        render(2.0, 0.7, 80.0)
    assert first.value > 0
    assert second.value == 0


def test_a_batch_is_its_elements(mean, noise):
    batch = jnp.concatenate([mean, mean + 1])
    noises = jnp.concatenate([noise, -noise])
    guidance = PosteriorGuidance(Blend(batch * 2, jnp.zeros(batch.shape[:-1], bool)))
    together = sample(GaussianDenoiser(batch), guidance, TRUST, noises, karras_sigmas(4))
    for i in range(2):
        alone = PosteriorGuidance(Blend(batch[i : i + 1] * 2, jnp.zeros(SHAPE[:-1], bool)))
        single = sample(GaussianDenoiser(batch[i : i + 1]), alone, TRUST, noises[i : i + 1], karras_sigmas(4))
        np.testing.assert_allclose(together[i : i + 1], single, rtol=1e-4, atol=1e-4)


def test_differentiable_through_the_scan(mean, noise):
    def loss(shift):
        rule = DirectGuidance(Blend(mean + shift, jnp.zeros(SHAPE[:-1], bool)))
        return sample(GaussianDenoiser(mean), rule, TRUST, noise, karras_sigmas(4)).sum()

    with jax.enable_x64(True):
        mean, noise = (jnp.asarray(a, jnp.float64) for a in (mean, noise))
        shift, h = jnp.float64(0.3), 1e-5
        slope = (loss(shift + h) - loss(shift - h)) / (2 * h)
        assert float(jax.grad(loss)(shift)) == pytest.approx(float(slope), rel=1e-6)
