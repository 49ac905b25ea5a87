import itertools

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.diffusion import karras_sigmas, listed_sigmas
from nvs_jax.diffusion.counting import estimates_in
from nvs_jax.diffusion.randomness import fold_in, normal
from nvs_jax.diffusion.solvers.lcm import LCM
from nvs_jax.models.svd.denoiser import SVDDenoiser
from nvs_jax.settings.presets import load_settings
from tests.convert.published import CONFIGS

STEPS = 4


def published_levels(steps: int, trained: int = 40) -> np.ndarray:
    """Every (trained // steps)th of the levels the model was distilled on, from the largest, then 0."""
    ramp = np.arange(steps) * (trained // steps) / (trained - 1)
    ends = 700 ** (1 / 7), 0.002 ** (1 / 7)
    return np.append((ends[0] + ramp * (ends[1] - ends[0])) ** 7, 0.0)


def test_the_preset_has_the_published_levels_and_makes_four_evaluations():
    settings = load_settings("lcm4")
    np.testing.assert_allclose([*settings.schedule.levels, 0.0], published_levels(STEPS), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(karras_sigmas(40))[:40:10], published_levels(STEPS)[:-1], rtol=1e-5)
    assert (settings.schedule.steps, settings.solver.kind) == (4, "lcm")
    assert settings.conditioning.guidance_scale == (1.0, 1.0)
    assert estimates_in(LCM(), listed_sigmas(settings.schedule.levels)) == 4


class Network:
    """Random weights between the latents, the time and the conditions: what is tested is around it."""

    def __init__(self, channels: int):
        self.first, self.second = (jax.random.normal(jax.random.key(s), (2 * channels, channels)) for s in (8, 9))

    def __call__(self, x, time, context, time_ids, **_):
        inner = jnp.tanh(x @ self.first + time[0]) + context.mean() + 0.01 * time_ids.sum()
        return jnp.sin(jnp.concatenate([inner, inner[:, ::-1]], -1) @ self.second)


def test_steps_are_the_published_schedulers_on_a_network_with_random_weights(monkeypatch):
    """D = c_skip x + c_out F(x / sqrt(s^2 + 1), log(s) / 4), c_skip = 1 / (s^2 + 1), c_out = -s / sqrt(s^2 + 1), and
    x <- D + s' z, in float64 but for F."""
    config, shape = CONFIGS["unet"], (1, 4, 3, 4, CONFIGS["unet"].out_channels)
    unet = Network(shape[-1])
    monkeypatch.setattr("nvs_jax.models.svd.denoiser.bind", lambda module, weights: unet)
    x, image = (jax.random.normal(jax.random.key(s), shape) for s in (0, 1))
    embedding, ids = jax.random.normal(jax.random.key(2), (1, 5)), jnp.array([6.0, 127.0, 0.02])
    weights = {"conv_in.weight": jnp.zeros(1)}
    denoiser = SVDDenoiser(weights, image[:, 0], embedding, ids, jnp.ones(4), config, guided=False)
    sigmas, key = published_levels(STEPS), jax.random.key(7)
    x = x * float(np.sqrt(sigmas[0] ** 2 + 1))
    ours, theirs = x, np.asarray(x, np.float64)
    given = jnp.broadcast_to(image[:, :1], shape)
    for index, (s, s_next) in enumerate(itertools.pairwise(sigmas)):
        here = fold_in(key, index)
        ours, _ = LCM().step(ours, (), jnp.float32(s), jnp.float32(s_next), denoiser, here)
        scaled = jnp.asarray(theirs / np.sqrt(s**2 + 1), jnp.float32)
        time = jnp.float32([0.25 * np.log(s)])
        out = np.asarray(unet(jnp.concatenate([scaled, given], -1), time, embedding[:, None], ids[None]), np.float64)
        denoised = -s / np.sqrt(s**2 + 1) * out + theirs / (s**2 + 1)
        theirs = denoised + s_next * np.asarray(normal(here, x))
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * max(1.0, s_next), rtol=1e-5)
