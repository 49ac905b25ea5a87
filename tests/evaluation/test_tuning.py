"""Errors and their gradients, mostly with a toy in place of the network."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Coefficients, DirectGuidance, SmoothSelect, karras_sigmas, trust_table
from nvs_jax.evaluation.problems import problem_of, rule_table, solve_in_segments, true_views
from nvs_jax.evaluation.tuning import (
    TunedCoefficients,
    TunedTable,
    error,
    error_and_gradient,
    tuned_coefficients,
    tuned_table,
    tuning_scene,
)
from nvs_jax.evaluation.variants import ClosedForm, FreeTable, Variant
from tests.evaluation.benches import SETTINGS, linear
from tests.tiny import FRAMES, tiny_pipeline

START = ClosedForm(0.2, 1000.0, 10.0)
LEVELS = (100.0, 3.0, 0.1)
SEED = 3_000_000


@pytest.fixture(scope="module")
def pipeline():
    return tiny_pipeline()


@pytest.fixture(scope="module")
def truth():
    return true_views(SEED, 0.0, SETTINGS)


def linear_scene(*arguments, **named):
    scene = tuning_scene(*arguments, **named)
    return replace(scene, problem=linear(scene.problem))


@pytest.fixture(scope="module")
def scene(pipeline, truth):
    return linear_scene(pipeline, truth, Variant("dgs", steps=10, estimate="blend"), SEED)


def test_parameters_begin_at_the_start_and_become_its_rule(scene):
    sigmas = karras_sigmas(8)[:-1]
    parameters = tuned_coefficients(START)
    wanted = trust_table(sigmas, scene.distances, Coefficients(START.v1, START.v2, START.v3))
    np.testing.assert_allclose(jax.vmap(parameters.trust(sigmas[0], scene.distances))(sigmas), wanted, rtol=1e-5)
    # Four digits are kept, and a rule whose v1 is another is the same.
    np.testing.assert_allclose(rule_table(parameters.rule(), sigmas, scene.distances), wanted, atol=1e-3)
    assert parameters.rule() == ClosedForm(0.001, 5.0, 0.05)


def test_a_table_begins_at_the_start_within_bounds(scene):
    parameters = tuned_table(START, LEVELS, scene)
    wanted = trust_table(jnp.array([700.0, *LEVELS]), scene.distances, Coefficients(START.v1, START.v2, START.v3))
    wanted = np.clip(wanted[1:, 1:], 0.25, 0.95)
    rule = parameters.rule()
    assert isinstance(rule, FreeTable)
    assert rule.sigmas == LEVELS
    np.testing.assert_allclose(rule.w, wanted, atol=1e-4)
    sigmas = karras_sigmas(8)[:-1]
    table = jax.vmap(parameters.trust(sigmas[0], scene.distances))(sigmas)
    assert table.shape == (8, FRAMES)
    np.testing.assert_array_equal(table[:, 0], 1)
    np.testing.assert_allclose(rule_table(rule, sigmas, scene.distances), table, atol=1e-4)


def test_the_error_is_that_of_the_benchmarks_own_run(pipeline, truth, scene):
    rule = ClosedForm(0.001, 5.0, 0.05)
    variant = Variant("dgs", rule, steps=10, estimate="blend")
    latents = solve_in_segments(linear(problem_of(pipeline, truth, variant, SEED)))
    true = pipeline.model.codec().encode(truth.pictures)
    parameters = tuned_coefficients(rule)
    expected = float(jnp.mean((latents[0, 1:] - true[1:]) ** 2))
    assert float(jax.jit(error)(parameters, scene)) == pytest.approx(expected, rel=1e-4)

    of_frames = linear_scene(pipeline, truth, variant, SEED, frames=True)
    frames = np.asarray(pipeline.decode(latents[0]))
    expected = float(np.mean((frames[1:] - np.asarray(truth.pictures[1:])) ** 2))
    assert float(jax.jit(error)(parameters, of_frames)) == pytest.approx(expected, rel=1e-4)


def slopes(parameters, scene):
    """Along its own gradient: what that says, and what finite differences do."""
    _, gradient = error_and_gradient(parameters, scene)
    (leaf,), structure = jax.tree.flatten(parameters)
    (slope,) = jax.tree.leaves(gradient)
    direction, h = slope / jnp.linalg.norm(slope), 0.02
    above, below = (
        float(error_and_gradient(structure.unflatten([leaf + sign * h * direction]), scene)[0]) for sign in (1, -1)
    )
    return float(jnp.linalg.norm(slope)), (above - below) / (2 * h)


# Float32: differences of an error of about 1 are known to 1e-6, and h is as large as the curvature allows.
@pytest.mark.parametrize("form", ["closed", "table"])
def test_gradients_are_those_of_finite_differences(scene, form):
    parameters = tuned_coefficients(START) if form == "closed" else tuned_table(START, LEVELS, scene)
    said, found = slopes(parameters, scene)
    assert found == pytest.approx(said, rel=0.02)


@pytest.mark.full
def test_gradients_through_the_network_are_those_of_finite_differences(pipeline, truth):
    scene = tuning_scene(pipeline, truth, Variant("dgs", steps=10, estimate="blend"), SEED)
    said, found = slopes(tuned_coefficients(START), scene)
    assert found == pytest.approx(said, rel=0.05)


def in_v3(scene, h=0.01):
    """The slope in log v3, by autodiff and by a difference over 2 %."""
    parameters, step = tuned_coefficients(START), jnp.array([0.0, 0.0, h])
    _, gradient = error_and_gradient(parameters, scene)
    assert isinstance(gradient, TunedCoefficients)
    above, below = (float(error_and_gradient(TunedCoefficients(parameters.log_v + s), scene)[0]) for s in (step, -step))
    return float(gradient.log_v[2]), (above - below) / (2 * h)


def test_the_smooth_selection_has_the_slope_in_v3_of_finite_differences(pipeline, truth):
    said, found = in_v3(linear_scene(pipeline, truth, Variant("dgs", steps=10, estimate="smooth"), SEED))
    assert found == pytest.approx(said, rel=0.01)


@pytest.mark.full
def test_the_smooth_selection_has_it_through_the_network_too(pipeline, truth):
    said, found = in_v3(tuning_scene(pipeline, truth, Variant("dgs", steps=10, estimate="smooth"), SEED))
    assert found == pytest.approx(said, rel=0.01)


def test_the_smooth_selection_has_a_gradient_in_every_frame_that_is_not_all_hole(pipeline, truth):
    scene = linear_scene(pipeline, truth, Variant("dgs", steps=3, estimate="smooth"), SEED)
    assert isinstance(scene.problem.guidance, DirectGuidance)
    views = scene.problem.guidance.modulate
    assert isinstance(views, SmoothSelect)
    hole = views.hole.at[:, -1].set(True)
    views = replace(views, hole=hole)
    scene = replace(scene, problem=replace(scene.problem, guidance=DirectGuidance(views)))
    free = ~np.asarray(hole[0, 1:].all((-1, -2)))
    assert free.any() and not free.all()
    for logit in (-3.0, 0.0, 3.0):
        parameters = TunedTable(jnp.full((len(LEVELS), FRAMES - 1), logit), LEVELS)
        _, gradient = error_and_gradient(parameters, scene)
        assert isinstance(gradient, TunedTable)
        np.testing.assert_array_equal(np.abs(gradient.logits).sum(0) > 0, free)


def test_the_hard_selection_has_none(pipeline, truth):
    scene = linear_scene(pipeline, truth, Variant("dgs", steps=3, estimate="select"), SEED)
    _, gradient = error_and_gradient(TunedTable(jnp.full((len(LEVELS), FRAMES - 1), 3.0), LEVELS), scene)
    assert isinstance(gradient, TunedTable)
    np.testing.assert_array_equal(gradient.logits, 0)
