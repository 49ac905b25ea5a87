import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    Blend,
    DirectGuidance,
    DPMSolverPP2M,
    Euler,
    ExponentialAdams,
    Heun,
    PosteriorGuidance,
    Solver,
    Unguided,
    closed_form_trust,
    exponential_sigmas,
    init,
    karras_sigmas,
    listed_sigmas,
    make_solver,
    run_steps,
    sample,
    step,
)
from nvs_jax.settings import SolverSettings, registry
from tests.diffusion.toys import GaussianDenoiser

SHAPE = (1, 2, 2, 3, 2)
TRUST = closed_form_trust(jnp.arange(2.0), 700.0)
SOLVERS = [make_solver(SolverSettings(name), 40) for name in registry.solvers()]
MADE = [make_solver(SolverSettings(name, churn=0.0), 40) for name in registry.solvers()]
WITHOUT_NOISE: list[Any] = [solver for solver in MADE if hasattr(solver, "order")]  # lcm follows no ODE
MEAN, NOISE = (np.random.default_rng(seed).standard_normal(SHAPE) for seed in (1, 2))


def in_float64(solver, sigmas):
    """What the solver makes of the noise, and what the ODE does."""
    with jax.enable_x64(True):
        denoiser, noise = GaussianDenoiser(jnp.asarray(MEAN)), jnp.asarray(NOISE)
        x = sample(denoiser, Unguided(), TRUST, noise, jnp.asarray(sigmas, jnp.float64), solver)
        first = noise * jnp.sqrt(float(sigmas[0]) ** 2 + 1)
        return np.asarray(x), np.asarray(denoiser.solution(first, float(sigmas[0]), float(sigmas[-1])))


def measured_orders(solver, counts, schedule):
    """Between runs of twice as many steps each."""
    with jax.enable_x64(True):
        errors = [np.abs(np.subtract(*in_float64(solver, schedule(n)))).max() for n in counts]
    return np.log2(np.divide(errors[:-1], errors[1:]))


@pytest.mark.parametrize("solver", WITHOUT_NOISE, ids=repr)
def test_order_of_convergence(solver):
    """On data whose probability-flow ODE has a known solution, without the last step to 0, whose length stays.

    To sigma = 0.3: from end to end, or to 1, errors of the third order cancel on these data.
    """
    orders = measured_orders(solver, (256, 512, 1024), lambda n: exponential_sigmas(n, 700.0, 0.3)[:-1])
    assert (np.abs(orders - solver.order) < 0.15).all(), orders


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
def test_the_step_to_zero_gives_the_estimate(solver):
    assert isinstance(solver, Solver)
    x = jnp.asarray(MEAN, jnp.float32)

    def estimate(x, sigma):
        return jnp.tanh(x)

    key = jax.random.key(0)
    memory = solver.init(x)
    for sigma, sigma_next in ((9.0, 4.0), (4.0, 1.0), (1.0, 0.5)):
        x, memory = solver.step(x, memory, jnp.float32(sigma), jnp.float32(sigma_next), estimate, key)
    last, _ = solver.step(x, memory, jnp.float32(0.01), jnp.float32(0.0), estimate, key)
    np.testing.assert_allclose(last, jnp.tanh(x), atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
def test_a_single_level_is_one_evaluation(solver):
    out, _ = in_float64(solver, listed_sigmas((500.0,)))  # above what Churn adds noise at
    np.testing.assert_allclose(
        out, GaussianDenoiser(jnp.asarray(MEAN))(NOISE * np.sqrt(500.0**2 + 1), 500.0), rtol=1e-6
    )


@pytest.mark.parametrize("solver", WITHOUT_NOISE, ids=repr)
def test_equal_levels_are_steps_of_no_length(solver):
    plain, _ = in_float64(solver, [80.0, 20.0, 5.0, 1.0, 0.3, 0.0])
    repeated, _ = in_float64(solver, [80.0, 20.0, 5.0, 5.0, 1.0, 0.3, 0.0])
    np.testing.assert_allclose(repeated, plain, rtol=1e-12, atol=1e-12)
    once, _ = in_float64(solver, listed_sigmas((9.0,)))
    for levels in (karras_sigmas(4, 9.0, 9.0), exponential_sigmas(4, 9.0, 9.0)):
        np.testing.assert_allclose(in_float64(solver, levels)[0], once, rtol=1e-6, atol=1e-6)


class Repeating(Euler):
    """Remembers one array twice, and the latents themselves."""

    def init(self, x):
        nothing = jnp.zeros_like(x)
        return nothing, nothing, x

    def step(self, x, memory, sigma, sigma_next, estimate, key):
        x, _ = super().step(x, (), sigma, sigma_next, estimate, key)
        return x, (x, x, x)


def test_a_solver_may_remember_one_array_twice():
    mean, noise = (jnp.asarray(a, jnp.float32) for a in (MEAN, NOISE))
    sigmas, denoiser = karras_sigmas(4), GaussianDenoiser(mean)
    carry = init(noise * jnp.sqrt(sigmas[0] ** 2 + 1), Repeating())
    for done in (0, 2):
        carry = run_steps(carry, sigmas[done : done + 3], denoiser, Unguided(), TRUST, Repeating())
    np.testing.assert_allclose(carry.x, sample(denoiser, Unguided(), TRUST, noise, sigmas), rtol=1e-6)


def test_a_higher_order_is_closer_at_50_steps():
    solvers = Euler(), Heun(), DPMSolverPP2M(), ExponentialAdams()
    euler, heun, second, third = (np.abs(np.subtract(*in_float64(s, karras_sigmas(50)))).max() for s in solvers)
    assert third < second < euler
    assert heun < euler


@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
@pytest.mark.parametrize("guidance", [DirectGuidance, PosteriorGuidance])
def test_scan_equals_steps_and_segments(solver, guidance):
    """What a solver remembers, and the randomness of its steps, pass from one program to the next."""
    mean, noise = (jnp.asarray(a, jnp.float32) for a in (MEAN, NOISE))
    rule = guidance(Blend(mean + 1, jnp.zeros(SHAPE[:-1], bool)))
    named: dict[str, Any] = {"denoiser": GaussianDenoiser(mean), "guidance": rule, "trust": TRUST}
    sigmas, key = karras_sigmas(6, 80.0), jax.random.key(3)
    whole = sample(**named, noise=noise, sigmas=sigmas, solver=solver, key=key)
    carry = init(noise * jnp.sqrt(sigmas[0] ** 2 + 1), solver, key)
    for sigma, sigma_next in itertools.pairwise(sigmas):
        carry = step(carry, sigma, sigma_next, **named, solver=solver)
    np.testing.assert_allclose(carry.x, whole, rtol=1e-4, atol=1e-4)
    carry = init(noise * jnp.sqrt(sigmas[0] ** 2 + 1), solver, key)
    for done in (0, 3):
        carry = run_steps(carry, sigmas[done : done + 4], **named, solver=solver)
    np.testing.assert_allclose(carry.x, whole, rtol=1e-5, atol=1e-5)
