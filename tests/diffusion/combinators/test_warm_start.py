from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Problem, Unguided, closed_form_trust, solve
from nvs_jax.diffusion.combinators.warm_start import levels_from
from nvs_jax.errors import InputError
from tests.diffusion.toys import GaussianDenoiser

NOISE = jax.random.normal(jax.random.key(0), (1, 2, 3, 3, 1))


def problem(target, levels=(3.0, 1.0, 0.2, 0.0)):
    denoiser, trust = GaussianDenoiser(jnp.zeros_like(NOISE)), closed_form_trust(jnp.arange(2.0), 700.0)
    start = jnp.full(NOISE.shape, target)
    return Problem(denoiser, Unguided(), trust, NOISE, jnp.array(levels, NOISE.dtype), start=start)


def test_levels_above_the_start_are_left_out():
    np.testing.assert_array_equal(levels_from(jnp.array([700.0, 20.0, 3.0, 1.0, 0.0]), 3.0), [3, 1, 0])
    np.testing.assert_allclose(levels_from(jnp.array([700.0, 20.0, 3.0, 1.0, 0.0]), 5.0), [5, 3, 1, 0])
    with pytest.raises(InputError, match=r"schedule\.start 800 is above the schedule's first noise level, 700"):
        levels_from(jnp.array([700.0, 0.0]), 800.0)


def test_a_run_begins_with_the_views_and_so_much_noise():
    at_once = solve(problem(2.0, (3.0, 0.0)))
    np.testing.assert_allclose(at_once, GaussianDenoiser(jnp.zeros_like(NOISE))(2.0 + 3 * NOISE, 3.0), rtol=1e-5)


def test_of_little_noise_the_views_remain():
    known = replace(problem(2.0, (1e-4, 0.0)), guidance=Unguided())
    np.testing.assert_allclose(solve(known), 2.0, atol=1e-3)


def test_gradients_are_those_of_differences():
    with jax.enable_x64(True):

        def end(target):
            return jnp.sum(jnp.sin(solve(problem(target))))

        np.testing.assert_allclose(jax.grad(end)(0.5), (end(0.5 + 1e-3) - end(0.5 - 1e-3)) / 2e-3, rtol=1e-3)
