import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import exponential_sigmas, make_solver
from nvs_jax.diffusion.solvers.res2s import RES2S
from nvs_jax.errors import InputError
from nvs_jax.settings import SolverSettings
from tests.diffusion.test_solvers import measured_orders


@pytest.mark.parametrize("c2", [0.3, 1.0])
def test_it_is_of_second_order_wherever_its_second_stage_is(c2):
    orders = measured_orders(RES2S(c2), (128, 256), lambda n: exponential_sigmas(n, 700.0, 0.6)[:-1])
    assert (np.abs(orders - 2) < 0.15).all(), orders


def test_estimates_are_made_at_the_beginning_and_in_the_middle():
    asked = []

    def estimate(x, sigma):
        asked.append(float(sigma))
        return jnp.zeros_like(x)

    with jax.disable_jit():
        RES2S().step(jnp.ones((1, 1, 1, 1, 1)), (), jnp.float32(8.0), jnp.float32(2.0), estimate, jax.random.key(0))
    np.testing.assert_allclose(asked, [8.0, 4.0], rtol=1e-6)


def test_estimates_linear_in_time_are_integrated_exactly():
    """dX/dt = mu - X with mu = t = -log sigma: X = t - 1 + C e^-t."""
    with jax.enable_x64(True):
        start, end = jnp.float64(5.0), jnp.float64(0.2)
        x = jnp.full((1, 1, 1, 1, 1), 3.0, jnp.float64)
        found, _ = RES2S(0.4).step(x, (), start, end, lambda x, s: jnp.full_like(x, -jnp.log(s)), jax.random.key(0))
        exact = -jnp.log(end) - 1 + (3.0 + jnp.log(start) + 1) * end / start
        np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_c2_is_a_number_of_the_settings():
    assert make_solver(SolverSettings("res2s", numbers=(("c2", 0.4),)), 10) == RES2S(0.4)
    with pytest.raises(InputError, match="c2 of res2s must be more than 0"):
        make_solver(SolverSettings("res2s", numbers=(("c2", 0.0),)), 10)
