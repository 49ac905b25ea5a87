import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    DPMSolverPP2M,
    Heun,
    Unguided,
    closed_form_trust,
    exponential_sigmas,
    init,
    run_steps,
    sample,
)
from nvs_jax.diffusion.combinators.restarts import Restarting, restarted
from nvs_jax.diffusion.counting import estimates_in
from nvs_jax.errors import InputError
from tests.diffusion.toys import GaussianDenoiser

TRUST = closed_form_trust(jnp.arange(2.0), 700.0)
LEVELS = exponential_sigmas(24, 50.0, 0.05)
SHAPE = (1, 2, 64, 32, 2)


def test_the_levels_between_come_again_and_are_counted():
    solver, levels = restarted(Heun(), jnp.array([50.0, 20.0, 8.0, 3.0, 1.0, 0.0]), 2, 2.0, 21.0)
    assert solver == Restarting(Heun(), 20.0)
    np.testing.assert_array_equal(levels, [50, 20, 8, 3, 8, 3, 8, 3, 1, 0])
    assert estimates_in(solver, levels) == 2 * 9 - 1


def test_an_interval_of_two_levels_is_refused():
    with pytest.raises(InputError, match="take three noise levels of the schedule, not 2"):
        restarted(Heun(), jnp.array([50.0, 20.0, 8.0, 0.0]), 1, 5.0, 30.0)


def test_restarts_leave_the_distribution_as_it_is():
    """Mean and spread of Gaussian data, from latents that have them; 8192 draws say both to about 0.01."""
    denoiser = GaussianDenoiser(jnp.full(SHAPE, 0.7), 0.5)
    solver, levels = restarted(Heun(), LEVELS, 3, 0.5, 20.0)
    at = float(levels[0])
    begun = 0.7 + jnp.sqrt(0.25 + at**2) * jax.random.normal(jax.random.key(1), SHAPE)
    plain = sample(denoiser, Unguided(), TRUST, (begun - 0.7) / at, LEVELS, Heun())
    end = run_steps(init(begun, solver, jax.random.key(2)), levels, denoiser, Unguided(), TRUST, solver).x
    assert abs(float(end.mean()) - 0.7) < 0.025
    assert abs(float(end.std()) - 0.5) < 0.02
    assert abs(np.corrcoef(plain.ravel(), end.ravel())[0, 1]) < 0.3  # what was begun with is forgotten


def test_they_forget_the_history_of_a_multistep_solver():
    """A restart from one level to the next larger ones is a run that begins there."""
    denoiser, x = GaussianDenoiser(jnp.zeros((1, 1, 2, 2, 1))), jnp.ones((1, 1, 2, 2, 1))
    inner = DPMSolverPP2M()
    memory = (x + 3.0, jnp.float32(0.9))
    x_up = Restarting(inner, 1.0 + 1e-12).step
    levels = jnp.float32(0.5), jnp.float32(0.8)
    found, _ = Restarting(inner, 1.0).step(x, memory, *levels, denoiser, jax.random.key(0))
    again, _ = x_up(x, inner.init(x), *levels, denoiser, jax.random.key(0))
    np.testing.assert_allclose(found, again, rtol=1e-6)
    down, kept = Restarting(inner, 1.0).step(x, memory, levels[1], levels[0], denoiser, jax.random.key(0))
    np.testing.assert_array_equal(down, inner.step(x, memory, levels[1], levels[0], denoiser, jax.random.key(0))[0])
    assert float(kept[1]) == levels[1]


def test_gradients_are_those_of_differences():
    with jax.enable_x64(True):
        solver, levels = restarted(DPMSolverPP2M(), jnp.asarray(np.geomspace(9.0, 0.1, 6)), 1, 0.5, 5.0)
        noise = jax.random.normal(jax.random.key(0), (1, 2, 2, 2, 1))

        def end(mean):
            denoiser = GaussianDenoiser(jnp.full(noise.shape, mean))
            return jnp.sum(jnp.sin(sample(denoiser, Unguided(), TRUST, noise, levels, solver, checkpoint=True)))

        slope = jax.grad(end)(0.3)
        np.testing.assert_allclose(slope, (end(0.3 + 1e-5) - end(0.3 - 1e-5)) / 2e-5, rtol=1e-7)
