from typing import ClassVar

import jax
import jax.numpy as jnp
import pytest

from nvs_jax.diffusion import Euler, Problem, closed_form_trust, karras_sigmas, make_solver, sample
from nvs_jax.diffusion.assemble import make_guidance
from nvs_jax.diffusion.counting import Evaluations, count_evaluations, estimates_in
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.settings import GuidanceSettings, SolverSettings, registry
from tests.diffusion.toys import GaussianDenoiser

SHAPE = (1, 2, 8, 8, 1)
TRUST = closed_form_trust(jnp.arange(2.0), 80.0)
PER_STEP = {"euler": 1, "heun": 2, "churn": 2, "dpmpp2m": 1, "adams3": 1}


class Midpoint(Euler):
    """Two stages in every step, and no kin of Heun's."""

    def step(self, x, memory, sigma, sigma_next, estimate, key):
        middle = (sigma + sigma_next) / 2
        x_middle = x + (x - estimate(x, sigma)) / sigma * (middle - sigma)
        return x + (x_middle - estimate(x_middle, middle)) / middle * (sigma_next - sigma), memory


class Counted(GaussianDenoiser):
    """Keeps every call."""

    calls: ClassVar[list[str]] = []

    def __call__(self, x, sigma):
        self.calls.append("estimate")
        return super().__call__(x, sigma)

    def probe(self, x, sigma):
        self.calls.append("probe")
        return super().__call__(x, sigma)

    def window(self, window):
        return self


def problem(settings, solver):
    views = WarpedViews(jnp.ones(SHAPE), jnp.zeros(SHAPE[:-1], bool))
    guidance, sigmas = make_guidance(settings, views, 4), karras_sigmas(4, 80.0)
    return Problem(Counted(jnp.zeros(SHAPE)), guidance, TRUST, jnp.ones(SHAPE), sigmas, solver)


@pytest.mark.parametrize("name", registry.solvers())
def test_estimates_are_counted_as_they_are_made(name):
    solver, one = make_solver(SolverSettings(name), 4), problem(GuidanceSettings("none"), Euler())
    Counted.calls.clear()
    with jax.disable_jit():
        sample(one.denoiser, one.guidance, TRUST, one.noise, one.sigmas, solver)
    assert len(Counted.calls) == estimates_in(solver, one.sigmas)
    if name in PER_STEP:
        assert len(Counted.calls) == 3 * PER_STEP[name] + 1  # the step to 0 takes one


def test_a_two_stage_solver_of_ones_own_is_counted_too():
    assert estimates_in(Midpoint(), karras_sigmas(10)) == 20


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (GuidanceSettings("none"), Evaluations(7, 0)),
        (GuidanceSettings("dgs"), Evaluations(7, 0)),
        (GuidanceSettings("post", clamp=0.2), Evaluations(7, 4)),
        (GuidanceSettings("post", gradient="full", clamp=0.2, interval=(0.0, 1.0)), Evaluations(7, 2)),
        (GuidanceSettings("post", tiles=True), Evaluations(7, 16)),
    ],
    ids=lambda value: getattr(value, "method", None),
)
def test_a_guidances_probes_are_counted_as_they_are_made(settings, expected):
    """Levels are 80, 9.7, 0.5 and 0.002."""
    one = problem(settings, make_solver(SolverSettings("heun"), 4))
    assert count_evaluations(one) == expected
    Counted.calls.clear()
    with jax.disable_jit():
        sample(one.denoiser, one.guidance, TRUST, one.noise, one.sigmas, one.solver)
    assert Evaluations(Counted.calls.count("estimate"), Counted.calls.count("probe")) == expected
