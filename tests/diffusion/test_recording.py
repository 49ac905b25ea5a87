"""What is recorded of every step, with denoisers whose answers are known."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    Blend,
    Churn,
    DirectGuidance,
    Euler,
    Heun,
    PosteriorGuidance,
    Problem,
    Select,
    closed_form_trust,
    karras_sigmas,
    run_steps,
    solve,
    solve_and_record,
)
from nvs_jax.diffusion.problem import begin
from nvs_jax.errors import InputError
from tests.compilations import count_compilations
from tests.diffusion.toys import GaussianDenoiser

SHAPE, STEPS = (1, 3, 4, 4, 2), 10  # in segments of two
MEAN, TARGET = jnp.full(SHAPE, 0.3), jax.random.normal(jax.random.key(1), SHAPE)
HOLE = jnp.zeros(SHAPE[:-1], bool).at[:, 1, :2].set(True)


EULER = Euler()


def problem(rule: type[Blend] | type[Select] = Blend, solver=EULER, guidance=DirectGuidance):
    return Problem(
        denoiser=GaussianDenoiser(MEAN),
        guidance=guidance(rule(TARGET, HOLE)),
        trust=closed_form_trust(jnp.arange(3.0), 20.0),
        noise=jax.random.normal(jax.random.key(0), SHAPE),
        sigmas=karras_sigmas(STEPS, 20.0, 0.01),
        solver=solver,
        key=jax.random.key(7),
    )


def everything(info):
    return info


def chosen(info):
    """The share of values that the guidance has replaced, and how large x0 is."""
    return {"chosen": (info.guided == TARGET).mean((2, 3, 4)), "norm": jnp.sqrt(jnp.square(info.x0).sum())}


def test_all_that_a_step_knows_is_what_the_parts_say():
    given = problem()
    latents, seen = solve_and_record(given, everything)
    np.testing.assert_array_equal(latents, solve(given))
    np.testing.assert_array_equal(seen.step, np.arange(STEPS))
    np.testing.assert_array_equal(seen.sigma, given.sigmas[:-1])
    np.testing.assert_array_equal(seen.sigma_next, given.sigmas[1:])
    np.testing.assert_array_equal(seen.x[1:], seen.x_next[:-1])
    np.testing.assert_array_equal(seen.x_next[-1], latents)
    np.testing.assert_array_equal(seen.corrected, seen.x)
    for step in range(STEPS):
        x0 = given.denoiser(seen.corrected[step], seen.sigma[step])
        np.testing.assert_allclose(seen.x0[step], x0, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(seen.w[step], given.trust(seen.sigma[step]), rtol=1e-5, atol=1e-6)
        guided = Blend(TARGET, HOLE)(seen.x0[step], seen.w[step])
        np.testing.assert_allclose(seen.guided[step], guided, rtol=1e-5, atol=1e-5)


def test_the_chosen_share_is_that_of_the_trust():
    """Half of a frame without holes where w is a half."""
    given = replace(problem(Select), trust=lambda_of(0.5))
    _, seen = solve_and_record(given, chosen)
    assert seen["chosen"].shape == (STEPS, 1, 3)
    # A value may be left out: the cutoff is its difference, which a fused program may round in another way.
    np.testing.assert_allclose(seen["chosen"][:, 0, 0], 0.5, atol=1.01 / 32)
    np.testing.assert_allclose(seen["chosen"][:, 0, 1], 0.25, atol=1.01 / 32)  # of all values, half of them holes


def lambda_of(w):
    return jax.tree_util.Partial(lambda w, sigma: w, jnp.full(3, w))


@pytest.mark.parametrize(("solver", "guidance"), [(Heun(), DirectGuidance), (Churn(), PosteriorGuidance)])
def test_of_several_estimates_the_first_is_recorded(solver, guidance):
    given = problem(solver=solver, guidance=guidance)
    latents, seen = solve_and_record(given, everything)
    np.testing.assert_array_equal(latents, solve(given))
    assert (np.abs(seen.corrected - seen.x).max() > 0) == (guidance is PosteriorGuidance)
    if not isinstance(solver, Churn):  # which adds noise before
        x0 = jax.vmap(given.denoiser)(seen.corrected, seen.sigma)
        np.testing.assert_allclose(seen.x0, x0, rtol=1e-5, atol=1e-5)


def test_records_go_with_gradients_and_are_differentiable():
    def loss(shift):
        given = problem()
        given = replace(given, guidance=DirectGuidance(Blend(TARGET + shift, HOLE)))
        latents, seen = solve_and_record(given, chosen)
        return latents.sum() + seen["norm"].sum(), seen

    (_, seen), slope = jax.value_and_grad(loss, has_aux=True)(0.1)
    above, below = (loss(0.1 + h)[0] for h in (1e-2, -1e-2))
    assert float(slope) == pytest.approx(float(above - below) / 2e-2, rel=1e-2)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5), seen, loss(0.1)[1])


def test_several_videos_are_recorded_under_vmap():
    given = problem()
    noises = jnp.stack([given.noise, -given.noise])
    latents, seen = jax.vmap(lambda noise: solve_and_record(replace(given, noise=noise), chosen))(noises)
    assert seen["norm"].shape == (2, STEPS)
    other, alone = solve_and_record(replace(given, noise=-given.noise), chosen)
    np.testing.assert_allclose(latents[1], other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(seen["norm"][1], alone["norm"], rtol=1e-4)


def test_vmap_over_what_is_not_the_noise():
    given = problem()

    def of(scale):
        return solve(replace(given, trust=closed_form_trust(scale * jnp.arange(1.0, 4.0), 20.0)))

    mapped = jax.vmap(of)(jnp.array([1.0, 2.0]))
    np.testing.assert_allclose(mapped[0], of(1.0), rtol=1e-4, atol=1e-5)


def test_what_is_not_recorded_costs_nothing():
    """The program is the same, and so is that of the next run with the same record."""
    given = problem()
    parts = given.denoiser, given.guidance, given.trust, given.solver

    def program(record):
        return str(run_steps.trace(begin(given), given.sigmas[:3], *parts, False, record).jaxpr)

    def nothing(info):
        return ()

    assert program(nothing) == program(None)
    assert program(chosen) != program(None)
    solve_and_record(given, chosen)
    with count_compilations() as count:
        solve_and_record(replace(given, noise=-given.noise), chosen)
    assert count.value == 0


class Idle(Euler):
    """A solver that forgets the network."""

    def step(self, x, memory, sigma, sigma_next, estimate, key):
        return x, memory


def test_a_solver_that_makes_no_estimate_is_refused():
    with pytest.raises(InputError, match="Idle never calls `estimate`"):
        solve(problem(solver=Idle()))
