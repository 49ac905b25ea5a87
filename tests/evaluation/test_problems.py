from dataclasses import replace
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from nvs_jax.diffusion import (
    Coefficients,
    DirectGuidance,
    FilledHoles,
    closed_form_trust,
    karras_sigmas,
    trust_table,
)
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.diffusion.problem import solve
from nvs_jax.errors import InputError
from nvs_jax.evaluation.problems import (
    conditions_of,
    frames_of,
    own_scale,
    problem_of,
    render_settings,
    rule_table,
    rule_trust,
    solve_in_segments,
    true_views,
    wrong_depth,
)
from nvs_jax.evaluation.scores import score
from nvs_jax.evaluation.variants import FOR_LOOKS, FOR_PSNR, ClosedForm, Constant, DepthError, FreeTable, Variant
from nvs_jax.settings import SolverKind
from nvs_jax.settings.presets import settings_for
from tests.compilations import count_compilations
from tests.evaluation.benches import SETTINGS, linear
from tests.models.toy_video import ToyVideo
from tests.tiny import FRAMES, HEIGHT, WIDTH, tiny_pipeline


@pytest.fixture(scope="module")
def pipeline():
    return tiny_pipeline()


@pytest.fixture(scope="module")
def truth():
    return true_views(40_000, 0.0, SETTINGS)


def test_truth_is_seen_from_an_orbit_that_turns_with_the_seed(truth):
    other = true_views(40_001, 0.0, SETTINGS)
    assert truth.pictures.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert truth.holes.shape == (FRAMES - 1, HEIGHT, WIDTH)
    centres = [np.linalg.inv(np.asarray(one.poses[-1]))[:3, 3] for one in (truth, other)]
    angles = [np.degrees(np.arctan2(centre[0], centre[2])) for centre in centres]
    np.testing.assert_allclose(angles, [15, -15], atol=1e-3)


def test_a_variant_of_another_scale_needs_a_model_that_has_one(pipeline):
    assert own_scale(pipeline.model) == pipeline.model.codec().target_scale
    with pytest.raises(InputError, match="latents have no scale"):
        own_scale(ToyVideo())


def test_scenes_as_in_photographs_have_the_same_solids_in_other_colours(truth):
    natural = true_views(40_000, 0.0, replace(SETTINGS, natural=1.0))
    assert np.abs(natural.pictures - truth.pictures).max() > 0.05
    np.testing.assert_array_equal(natural.depth, truth.depth)
    np.testing.assert_array_equal(natural.holes, truth.holes)


def test_shading_changes_pictures_and_nothing_else(truth):
    shiny = true_views(40_000, 1.0, SETTINGS)
    assert np.abs(shiny.pictures - truth.pictures).max() > 0.05
    np.testing.assert_array_equal(shiny.holes, truth.holes)
    np.testing.assert_array_equal(shiny.depth, truth.depth)


def test_holes_are_the_truths_whatever_depth_a_variant_gets(truth):
    assert 0 < truth.holes.mean() < 0.6
    known = {kind: conditions_of(truth, Variant("dgs", depth=kind)).warp.valid for kind in get_args(DepthError)}
    np.testing.assert_array_equal(~known["true"], truth.holes)
    assert (known["scaled"] != known["true"]).any()
    assert (known["blurred"] != known["true"]).any()


def test_wrong_depths(truth):
    assert wrong_depth(truth.depth, "true") is truth.depth
    np.testing.assert_allclose(wrong_depth(jnp.array([[10.0]]), "scaled"), 1 / (0.095 + 0.01), rtol=1e-6)
    blurred = wrong_depth(truth.depth, "blurred")
    assert float(jnp.abs(jnp.diff(blurred, axis=1)).max()) < float(jnp.abs(jnp.diff(truth.depth, axis=1)).max())


def test_tables_of_rules():
    sigmas, distances = karras_sigmas(6)[:-1], jnp.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(rule_table(Constant(0.3), sigmas, distances), [[1, 0.3, 0.3]] * 6, rtol=1e-6)
    table = rule_table(ClosedForm(0.1, 2.0, 3.0), sigmas, distances)
    np.testing.assert_array_equal(table, trust_table(sigmas, distances, Coefficients(0.1, 2.0, 3.0)))
    # Only the ratios matter.
    np.testing.assert_allclose(rule_table(ClosedForm(1.0, 20.0, 30.0), sigmas, distances), table, rtol=1e-4)
    # Between 10 and 0.1 it is linear in log sigma; beyond, constant.
    free = FreeTable((10.0, 0.1), ((0.8, 0.6), (0.4, 0.2)))
    table = rule_table(free, jnp.array([700.0, 10.0, 1.0, 0.1, 0.002]), distances)
    expected = [[1, 0.8, 0.6], [1, 0.8, 0.6], [1, 0.6, 0.4], [1, 0.4, 0.2], [1, 0.4, 0.2]]
    np.testing.assert_allclose(table, expected, rtol=1e-5)


def test_rules_are_functions_of_sigma_between_the_steps_of_a_schedule():
    """Where a two-stage solver evaluates x0 in the middle of a step; the row of the nearest step was .99 off there."""
    distances, sigmas = jnp.array([0.0, 1.0, 2.0]), karras_sigmas(25)
    rule = ClosedForm()
    trust = rule_trust(rule, sigmas[0], distances)
    exact = closed_form_trust(distances, sigmas[0], Coefficients(rule.v1, rule.v2, rule.v3))
    middles = jnp.sqrt(sigmas[:-2] * sigmas[1:-1])
    np.testing.assert_allclose(jax.vmap(trust)(middles), jax.vmap(exact)(middles), rtol=1e-6)
    steps = jax.vmap(exact)(sigmas[:-2])
    assert np.abs(jax.vmap(trust)(middles) - steps).max() > 0.9
    # Outside of (18), too: linear in log sigma.
    free = rule_trust(FreeTable((0.1, 10.0), ((0.4, 0.2), (0.8, 0.6))), sigmas[0], distances)
    np.testing.assert_allclose(free(jnp.float32(0.1 * 100**0.75)), [1, 0.7, 0.5], rtol=1e-5)
    shapes = [list(map(jnp.shape, jax.tree.leaves(one))) for one in (free, trust)]
    assert shapes[0] == shapes[1]  # one program for both


def test_segments_take_a_rule_of_ones_own(pipeline, truth):
    problem = linear_problem(pipeline, truth, Variant("dgs", steps=5))
    own = replace(problem, trust=Partial(lambda level, sigma: level * sigma / (1 + sigma), jnp.ones(FRAMES)))
    assert np.abs(solve_in_segments(own) - solve_in_segments(problem)).max() > 0.01
    np.testing.assert_allclose(solve_in_segments(own), solve(own), atol=1e-5)


def test_the_ceiling_beats_noise_and_the_truth_beats_the_ceiling(pipeline, truth):
    true, holes = np.asarray(truth.pictures[1:]), np.asarray(truth.holes)
    frames = frames_of(pipeline, truth, Variant("ceiling"), 0)
    assert frames.shape == truth.pictures.shape
    ceiling, perfect = score(frames[1:], true, holes), score(true, true, holes)
    assert np.mean(ceiling.psnr) < np.mean(perfect.psnr)
    assert np.mean(ceiling.ssim) < np.mean(perfect.ssim)


@pytest.mark.full
def test_segments_are_the_pipelines_own_sampler(pipeline, truth):
    problem = problem_of(pipeline, truth, Variant("dgs", steps=10), 3)
    np.testing.assert_allclose(solve_in_segments(problem), solve(problem), atol=1e-5)


def linear_problem(pipeline, truth, variant):
    return linear(problem_of(pipeline, truth, variant, 3))


@pytest.mark.parametrize("solver", get_args(SolverKind))
def test_segments_of_every_solver_evaluate_the_rule_where_the_solver_asks(pipeline, truth, solver):
    """As with the closed form itself, at any sigma, in one go."""
    rule = ClosedForm(0.2, 1000.0, 10.0)
    variant = Variant("dgs", rule, steps=10, solver=solver, estimate="blend")
    problem = linear_problem(pipeline, truth, variant)
    coefficients = Coefficients(rule.v1, rule.v2, rule.v3)
    exact = closed_form_trust(conditions_of(truth, variant).distance, problem.sigmas[0], coefficients)
    found = solve_in_segments(problem)
    np.testing.assert_allclose(found, solve(replace(problem, trust=exact)), rtol=1e-4, atol=1e-4)
    if solver != "euler":
        euler = solve_in_segments(linear_problem(pipeline, truth, replace(variant, solver="euler")))
        assert np.abs(found - euler).max() > 0.01


@pytest.mark.parametrize("solver", sorted({*get_args(SolverKind)} - {"euler"}))
def test_a_solver_has_two_programs_for_all_numbers_of_steps(pipeline, truth, solver):
    for steps in (5, 1):
        solve_in_segments(linear_problem(pipeline, truth, Variant("dgs", steps=steps, solver=solver)))
    for steps in (3, 25):
        problem = linear_problem(pipeline, truth, Variant("dgs", steps=steps, solver=solver))
        with count_compilations() as count:
            solve_in_segments(problem)
        assert count.value == 0


def test_w_of_1_keeps_the_warp_and_less_keeps_less(pipeline, truth):
    problem = problem_of(pipeline, truth, Variant("dgs", Constant(1.0), steps=5), 3)
    assert isinstance(problem.guidance, DirectGuidance)
    views = problem.guidance.modulate
    assert isinstance(views, WarpedViews)
    kept = np.asarray(jnp.where(views.hole[..., None], 0, solve_in_segments(problem) - views.target))
    np.testing.assert_allclose(kept, 0, atol=1e-5)
    free = solve_in_segments(problem_of(pipeline, truth, Variant("dgs", Constant(0.5), steps=5), 3))
    assert np.abs(np.where(views.hole[..., None], 0, free - views.target)).max() > 0.1


def test_one_program_for_all_scenes_rules_steps_and_depths(pipeline, truth):
    first = frames_of(pipeline, truth, Variant("dgs", steps=5), 0)
    problem_of(pipeline, truth, Variant("dgs", steps=10), 0)  # the schedule's few operations
    other = true_views(40_001, 0.0, SETTINGS)
    with count_compilations() as count:
        frames_of(pipeline, other, Variant("dgs", ClosedForm(0.001, 3.0, 0.1), steps=10), 1)
    assert count.value == 0
    again = frames_of(pipeline, truth, Variant("dgs", steps=5), 0)
    np.testing.assert_array_equal(first, again)


def test_several_videos_are_other_videos_and_their_mean_is_shown(pipeline, truth):
    variant = Variant("dgs", steps=5)
    one, other = (frames_of(pipeline, truth, variant, seed) for seed in (0, 10_000_019))
    assert np.abs(one - other).max() > 1e-3
    mean = frames_of(pipeline, truth, replace(variant, videos=2), 0)
    np.testing.assert_allclose(mean, (one + other) / 2, atol=1e-6)


def test_holes_are_drawn_to_their_smooth_fill_by_what_a_variant_says(pipeline, truth):
    plain, drawn = (problem_of(pipeline, truth, Variant("dgs", hole_strength=s), 3).guidance for s in (0.0, 0.5))
    assert isinstance(drawn, FilledHoles)
    assert isinstance(drawn.guidance, type(plain))
    assert drawn.strength == 0.5
    nearest, smooth = (frames_of(pipeline, truth, Variant("baseline", fill=fill), 0) for fill in ("nearest", "smooth"))
    assert np.abs(nearest - smooth).max() > 0.01


def test_rules_without_numbers_are_refused(pipeline, truth):
    with pytest.raises(TypeError, match="best constant"):
        frames_of(pipeline, truth, Variant("dgs", "best constant"), 0)


@pytest.mark.parametrize(("variant", "preset"), [(FOR_LOOKS, None), (FOR_PSNR, "best")])
def test_what_was_chosen_for_the_small_model_is_what_it_brings(pipeline, variant, preset):
    measured, brought = render_settings(variant, pipeline), settings_for("demo", preset)
    for settings in (measured, brought):
        assert settings.guidance.method == "dgs"
    assert measured.solver == brought.solver and measured.schedule.levels == brought.schedule.levels
    assert measured.guidance.hole_strength == brought.guidance.hole_strength
    assert measured.guidance.hole_sigma == brought.guidance.hole_sigma
    assert measured.resample.times == brought.resample.times
    if brought.resample.times:
        assert measured.resample == brought.resample
