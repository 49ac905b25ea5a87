import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    DPMSolverPP2M,
    Unguided,
    WarpedViews,
    closed_form_trust,
    init,
    run_steps,
    step,
)
from nvs_jax.diffusion.combinators.particles import Particles, fit
from nvs_jax.diffusion.contracts import Choosing
from nvs_jax.diffusion.solvers.lcm import LCM
from nvs_jax.errors import InputError
from nvs_jax.steering.preparing import particle_keys
from tests.diffusion.toys import GaussianDenoiser

SHAPE = (4, 2, 3, 3, 1)
TARGET = jnp.zeros((1, *SHAPE[1:]))
HOLE = jnp.zeros((1, *SHAPE[1:-1]), bool).at[0, 1, 0].set(True)
VIEWS = WarpedViews(TARGET, HOLE)
TRUST = closed_form_trust(jnp.arange(2.0), 700.0)
SIGMA = jnp.float32(2.0)
X0 = jnp.array([0.5, 0.1, 2.0, 0.3])[:, None, None, None, None] * jnp.ones(SHAPE)


def particles(temperature=0.02):
    return Particles(Unguided(), VIEWS, temperature, 1.0, 5.0)


def test_the_reward_is_over_what_is_known():
    np.testing.assert_allclose(fit(X0, VIEWS), [-0.25, -0.01, -4.0, -0.09], rtol=1e-5)
    np.testing.assert_allclose(fit(X0.at[:, 1, 0].set(9.0), VIEWS), fit(X0, VIEWS))


def test_children_are_as_many_as_the_odds_and_the_best_comes_first():
    counts = np.zeros(4)
    odds = np.asarray(jax.nn.softmax(fit(X0, VIEWS) / 0.1))
    for seed in range(60):
        parents = np.asarray(particles(0.1).parents(X0, SIGMA, jax.random.key(seed)))
        assert parents[0] == 1
        found = np.bincount(parents, minlength=4)
        assert (np.abs(found - 4 * odds) < 1).all()
        counts += found / 240
    np.testing.assert_allclose(counts, odds, atol=0.04)


@pytest.mark.parametrize("sigma", [0.5, 6.0])
def test_outside_the_interval_everyone_stays(sigma):
    np.testing.assert_array_equal(particles().parents(X0, jnp.float32(sigma), jax.random.key(0)), range(4))


def test_latents_and_history_go_along_inside_of_the_scan():
    assert isinstance(particles(), Choosing)
    denoiser = GaussianDenoiser(jnp.zeros_like(X0), 3.0)
    solver, levels = DPMSolverPP2M(), (SIGMA, jnp.float32(1.5))
    parts = {"denoiser": denoiser, "trust": TRUST, "solver": solver}
    plain = step(init(X0, solver), *levels, guidance=Unguided(), **parts)
    chosen = step(init(X0, solver), *levels, guidance=particles(1e-4), **parts)
    np.testing.assert_allclose(chosen.x, jnp.broadcast_to(plain.x[1], SHAPE), rtol=1e-6)
    np.testing.assert_allclose(chosen.memory[0], jnp.broadcast_to(plain.memory[0][1], SHAPE), rtol=1e-6)
    assert chosen.memory[1] == SIGMA


def test_copies_part_where_noise_is_drawn():
    denoiser, levels = GaussianDenoiser(jnp.zeros_like(X0), 3.0), jnp.array([2.0, 0.9, 0.5])
    end = run_steps(init(X0 * 1, LCM(), jax.random.key(0)), levels, denoiser, particles(1e-4), TRUST, LCM()).x
    assert float(jnp.abs(end[0] - end[1]).max()) > 0.1


def test_keys_are_of_one_seed():
    keys = particle_keys(jax.random.key(4), 3)
    assert keys.shape == (3,)
    assert len({tuple(np.asarray(jax.random.key_data(key))) for key in keys}) == 3
    assert particle_keys(jax.random.key(4), 1) == jax.random.key(4)
    with pytest.raises(InputError, match="takes one seed at a time, not 2"):
        particle_keys(jax.random.split(jax.random.key(0)), 3)
