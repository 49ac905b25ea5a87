"""The flow behind EDM's convention: whole runs against diffusers' scheduler, guidance, and the given frame."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

from nvs_jax.diffusion import flow_sigmas
from nvs_jax.errors import InputError
from nvs_jax.models.wan.denoiser import WanDenoiser
from nvs_jax.models.wan.transformer.network import WanTransformer
from nvs_jax.models.weights import bind
from nvs_jax.windows import Window
from tests.models.comparing import QUICK_COMPILE, relative_error
from tests.models.wan.tiny import CONFIGS, tiny_wan

STEPS = 6
SHAPE = (1, 3, 4, 6, 2)
evaluate = jax.jit(lambda denoiser, x, sigma: denoiser(x, sigma), compiler_options=QUICK_COMPILE)
velocity = jax.jit(
    lambda weights, x, time, text: bind(WanTransformer(CONFIGS["transformer"]), weights)(x, time, text),
    compiler_options=QUICK_COMPILE,
)


def normal(*shape: int, seed: int = 0) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def denoiser(**options) -> WanDenoiser:
    return WanDenoiser(
        **{
            "weights": tiny_wan().networks.weights("transformer"),
            "given": normal(1, *SHAPE[2:], seed=1),
            "prompts": normal(2, 3, 6, seed=2),
            "guidance_scale": jnp.full(3, 5.0),
            "config": CONFIGS["transformer"],
        }
        | options
    )


@pytest.mark.parametrize("shift", [3.0, 5.0])
def test_euler_in_sigma_makes_the_latents_of_diffusers_scheduler_after_every_step(shift):
    """In float64: a network is sensitive to the last digits of its time, which is rounded otherwise on either way."""
    scheduler: Any = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=[min(1 - step / STEPS, 0.999) for step in range(STEPS)])
    with jax.enable_x64(True):
        model = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), denoiser())
        sigmas = flow_sigmas(STEPS, 999 * shift).tolist()
        times = [sigma / (1 + sigma) for sigma in sigmas]
        np.testing.assert_allclose(scheduler.sigmas, times, rtol=2e-7)
        scheduler.sigmas = torch.tensor(times, dtype=torch.float64)
        x = jnp.asarray(normal(*SHAPE), jnp.float64) * (1 + sigmas[0])
        theirs = torch.from_numpy(np.array(normal(*SHAPE), np.float64))
        for sigma, following, t, timestep in zip(sigmas, sigmas[1:], times, scheduler.timesteps, strict=False):
            x = x + (following - sigma) / sigma * (x - evaluate(model, x, jnp.float64(sigma)))
            latents, time = jnp.asarray(theirs.numpy()), jnp.full((1, 1), 1000 * t)
            unwanted, wanted = (velocity(model.weights, latents, time, model.prompts[i : i + 1]) for i in range(2))
            v = np.array(unwanted + 5 * (wanted - unwanted))
            v[:, 0] = (theirs.numpy()[:, 0] - np.asarray(model.given)) / t  # which leads to the given frame
            theirs = scheduler.step(torch.from_numpy(v), timestep, theirs).prev_sample
            assert relative_error(x / (1 + following), theirs) <= 3e-6
    np.testing.assert_allclose(x[:, 0], model.given, atol=1e-5)


def test_times_after_the_first_fall_evenly_before_they_are_shifted():
    levels = np.asarray(flow_sigmas(10, 999 * 5.0))[:-1]
    times = levels / 5 / (1 + levels / 5)
    np.testing.assert_allclose(times[1:], np.arange(9, 0, -1) / 10, rtol=1e-6)


def test_every_estimate_begins_with_the_given_frame():
    for clean_first in (False, True):
        model = denoiser(clean_first=clean_first)
        x0 = evaluate(model, normal(*SHAPE), jnp.float32(3.0))
        np.testing.assert_array_equal(x0[:, 0], model.given)


def test_a_network_that_knows_the_first_frame_does_not_look_at_its_noise():
    changed = normal(*SHAPE).at[:, 0].add(1.0)
    for clean_first, same in ((True, True), (False, False)):
        model = denoiser(clean_first=clean_first)
        first, second = (evaluate(model, x, jnp.float32(3.0)) for x in (normal(*SHAPE), changed))
        assert np.array_equal(first, second) == same


def test_branches_one_after_the_other_or_at_a_scale_of_one_are_the_same():
    x, sigma = normal(*SHAPE), jnp.float32(2.0)
    together, in_turn = (evaluate(denoiser(sequential=sequential), x, sigma) for sequential in (False, True))
    np.testing.assert_allclose(together, in_turn, atol=1e-5)
    alone = evaluate(denoiser(guided=False), x, sigma)
    np.testing.assert_allclose(evaluate(denoiser(guidance_scale=jnp.ones(3)), x, sigma), alone, atol=1e-5)


def test_guidance_is_on_between_two_levels_alone():
    x = normal(*SHAPE)
    within = denoiser(interval=jnp.array([1.0, 10.0]))
    for sigma, other in ((2.0, denoiser()), (20.0, denoiser(guided=False))):
        np.testing.assert_allclose(
            evaluate(within, x, jnp.float32(sigma)), evaluate(other, x, jnp.float32(sigma)), atol=1e-6
        )


def test_gradients_agree_with_finite_differences():
    model, x, direction = denoiser(), normal(*SHAPE), normal(*SHAPE, seed=5)

    def loss(step: jax.Array) -> jax.Array:
        return jnp.sum(jnp.sin(model(x + step * direction, jnp.float32(2.0))))

    value, gradient = jax.jit(jax.value_and_grad(loss))(jnp.float32(0.0))
    step = 1e-2
    above, below = (float(jax.jit(loss)(jnp.float32(s))) for s in (step, -step))
    assert np.isfinite(value)
    assert float(gradient) == pytest.approx((above - below) / (2 * step), rel=2e-2)  # of a curve, in float32


def test_a_window_crops_the_given_frame():
    window = Window(1, 2, 2, 4)
    np.testing.assert_array_equal(denoiser().window(window).given, denoiser().given[:, 1:3, 2:6])


def test_conditions_of_another_number_of_videos_are_refused():
    model = dataclasses.replace(denoiser(), given=normal(2, *SHAPE[2:]))
    with pytest.raises(InputError, match="3 videos, but conditions of 2"):
        evaluate(model, normal(3, *SHAPE[1:]), jnp.float32(1.0))


def test_each_video_of_a_batch_has_its_own_given_frame():
    given, x = normal(2, *SHAPE[2:], seed=3), normal(2, *SHAPE[1:], seed=4)
    together = evaluate(denoiser(given=given), x, jnp.float32(2.0))
    for i in range(2):
        alone = evaluate(denoiser(given=given[i : i + 1]), x[i : i + 1], jnp.float32(2.0))
        np.testing.assert_allclose(together[i], alone[0], atol=1e-5)
