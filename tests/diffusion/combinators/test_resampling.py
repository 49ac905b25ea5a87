import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    DPMSolverPP2M,
    Euler,
    ExponentialAdams,
    Heun,
    Unguided,
    closed_form_trust,
    init,
    make_solver,
    run_steps,
    sample,
)
from nvs_jax.diffusion.combinators.resampling import Resampling, resampled
from nvs_jax.diffusion.combinators.restarts import restarted
from nvs_jax.diffusion.counting import estimates_in
from nvs_jax.settings import SolverSettings
from tests.diffusion.toys import GaussianDenoiser

TRUST = closed_form_trust(jnp.arange(2.0), 700.0)
X = jax.random.normal(jax.random.key(5), (1, 2, 3, 3, 2))


def test_each_level_of_the_interval_comes_so_often_and_is_one_more_evaluation():
    solver, levels = resampled(Heun(), jnp.array([9.0, 4.0, 2.0, 1.0, 0.0]), 2, 1.5, 5.0)
    np.testing.assert_array_equal(levels, [9, 4, 4, 4, 2, 2, 2, 1, 0])
    assert estimates_in(solver, levels) == 7 + 4


@pytest.mark.parametrize("name", ["euler", "heun", "dpmpp2m", "adams3", "unipc", "res2s", "churn", "lcm"])
def test_a_step_to_the_same_level_is_the_estimate_with_fresh_noise(name):
    solver = Resampling(make_solver(SolverSettings(name, churn=0.0), 5))
    sigma, denoiser, memory = jnp.float32(2.0), GaussianDenoiser(jnp.zeros_like(X)), solver.init(X)
    noises = []
    for seed in (0, 1):
        again, kept = solver.step(X, memory, sigma, sigma, denoiser, jax.random.key(seed))
        noises.append((again - denoiser(X, sigma)) / sigma)
        assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), kept, solver.init(X)))
    assert abs(float(noises[0].std()) - 1) < 0.3
    assert abs(float((noises[0] - noises[1]).std()) - 2**0.5) < 0.4


@pytest.mark.parametrize("inner", [Euler(), DPMSolverPP2M(), ExponentialAdams()], ids=repr)
def test_other_steps_are_the_solvers_own(inner):
    levels, denoiser = jnp.array([9.0, 4.0, 2.0, 1.0, 0.5, 0.0]), GaussianDenoiser(jnp.zeros_like(X))
    plain = sample(denoiser, Unguided(), TRUST, X, levels, inner)
    found = sample(denoiser, Unguided(), TRUST, X, levels, Resampling(inner))
    np.testing.assert_allclose(found, plain, rtol=1e-6)  # another program rounds otherwise


def test_it_goes_together_with_restarts():
    solver, levels = restarted(Euler(), jnp.array([9.0, 4.0, 2.0, 1.0, 0.0]), 1, 1.0, 4.0)
    solver, levels = resampled(solver, levels, 1, 2.0, 2.0)
    np.testing.assert_array_equal(levels, [9, 4, 2, 2, 1, 2, 2, 1, 0])
    assert estimates_in(solver, levels) == 8
    denoiser = GaussianDenoiser(jnp.full(X.shape, 0.4), 1e-3)
    end = run_steps(init(9.0 * X, solver, jax.random.key(0)), levels, denoiser, Unguided(), TRUST, solver).x
    np.testing.assert_allclose(end, 0.4, atol=0.01)


def test_gradients_are_those_of_differences():
    with jax.enable_x64(True):
        solver, levels = resampled(ExponentialAdams(), jnp.asarray(np.geomspace(9.0, 0.1, 5)), 2, 0.5, 5.0)
        noise = jax.random.normal(jax.random.key(0), (1, 2, 2, 2, 1))

        def end(mean):
            denoiser = GaussianDenoiser(jnp.full(noise.shape, mean))
            return jnp.sum(jnp.sin(sample(denoiser, Unguided(), TRUST, noise, levels, solver, checkpoint=True)))

        np.testing.assert_allclose(jax.grad(end)(0.3), (end(0.3 + 1e-5) - end(0.3 - 1e-5)) / 2e-5, rtol=1e-7)
