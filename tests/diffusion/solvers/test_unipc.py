import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    Blend,
    PosteriorGuidance,
    Unguided,
    closed_form_trust,
    exponential_sigmas,
    karras_sigmas,
    make_solver,
    sample,
)
from nvs_jax.diffusion.solvers.unipc import UniPC
from nvs_jax.errors import InputError
from nvs_jax.settings import SolverSettings
from tests.diffusion.test_solvers import measured_orders
from tests.diffusion.toys import GaussianDenoiser


def test_it_is_of_order_four_with_three_estimates():
    """More steps would be rounded."""
    orders = measured_orders(UniPC(3), (64, 128, 256), lambda n: exponential_sigmas(n, 700.0, 0.6)[:-1])
    assert (np.abs(orders - 4) < 0.25).all(), orders


def test_what_a_guidance_has_done_before_a_step_stays():
    """The corrector adds the same to latents that were moved, where the estimate does not depend on them."""
    x, sigmas, key = jnp.ones((1, 1, 2, 2, 1)), (9.0, 4.0, 2.0, 1.0), jax.random.key(0)

    def end(shift):
        now, memory = x, UniPC().init(x)
        for sigma, sigma_next in itertools.pairwise(sigmas):
            moved = now + shift * (sigma == 2.0)
            now, memory = UniPC().step(
                moved, memory, jnp.float32(sigma), jnp.float32(sigma_next), lambda x, s: jnp.full_like(x, s**2), key
            )
        return now

    np.testing.assert_allclose(end(0.5) - end(0.0), 0.5 / 2, rtol=1e-5)


def test_p_is_a_number_of_the_settings():
    assert make_solver(SolverSettings("unipc", numbers=(("p", 3),)), 10) == UniPC(3)
    with pytest.raises(InputError, match="p of unipc must be 2 or 3, not 4"):
        make_solver(SolverSettings("unipc", numbers=(("p", 4),)), 10)


def test_gradients_are_finite_where_little_is_known():
    """In the first steps, where weights of estimates that do not exist are computed and not taken."""
    x = jnp.ones((1, 2, 2, 2, 1))
    guidance = PosteriorGuidance(Blend(x, jnp.zeros(x.shape[:-1], bool)), 0.05)

    def loss(noise, mean, rule):
        trust = closed_form_trust(jnp.arange(2.0), 80.0)
        return sample(GaussianDenoiser(mean), rule, trust, noise, karras_sigmas(4, 80.0), UniPC(3)).sum()

    for rule in (Unguided(), guidance):
        noise = jax.random.normal(jax.random.key(0), x.shape)
        slopes = jax.grad(loss, (0, 1))(noise, x, rule)
        assert all(np.isfinite(slope).all() and np.abs(slope).max() > 0 for slope in slopes)
