import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import (
    Blend,
    DirectGuidance,
    FilledHoles,
    Guidance,
    PosteriorGuidance,
    Select,
    Tiled,
    Unguided,
    Within,
)
from nvs_jax.diffusion.assemble import make_guidance
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.settings import GuidanceSettings
from nvs_jax.windows import Window, overlapping_windows
from tests.diffusion.test_estimates import random_case
from tests.diffusion.toys import GaussianDenoiser

SIGMA = jnp.float32(3.0)
W = jnp.array([1.0, 0.6, 0.3])
KEY = jax.random.key(0)


@pytest.fixture
def case():
    mean, target, hole = random_case(7, (1, 3, 8, 8, 4))
    x = mean + SIGMA * jax.random.normal(jax.random.key(8), mean.shape)
    return GaussianDenoiser(mean), x, target, hole


def test_direct_guidance_replaces_the_estimate_only(case):
    denoiser, x, target, hole = case
    guidance: Guidance = DirectGuidance(Blend(target, hole))
    np.testing.assert_array_equal(guidance.correct(x, SIGMA, W, denoiser, KEY), x)
    np.testing.assert_array_equal(guidance.estimate(x, SIGMA, W, KEY), Blend(target, hole)(x, W))


def test_skip_gradient_is_the_normalised_difference(case):
    denoiser, x, target, hole = case
    rule = Select(target, hole, 0.2)
    x0 = denoiser.probe(x, SIGMA)
    difference = np.asarray(x0 - rule(x0, W), np.float64)
    expected = x - 0.02 * np.sqrt(3.0) * difference / difference.std(ddof=1)
    corrected = PosteriorGuidance(rule, 0.02).correct(x, SIGMA, W, denoiser, KEY)
    np.testing.assert_allclose(corrected, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("gradient", ["skip", "full"])
def test_where_nothing_differs_nothing_is_corrected(case, gradient):
    denoiser, x, target, hole = case
    guidance = PosteriorGuidance(Blend(target, jnp.ones_like(hole)), 0.02, gradient)
    np.testing.assert_array_equal(guidance.correct(x, SIGMA, W, denoiser, KEY), x)
    slope = jax.grad(lambda x: guidance.correct(x, SIGMA, W, denoiser, KEY).sum())(x)
    assert np.isfinite(slope).all()


def test_full_gradient_is_that_of_the_loss(case):
    """(14): the gradient of |mu(X) - mu~|^2 with mu~ held, here by finite differences of the loss itself."""
    with jax.enable_x64(True):
        denoiser, x, target, hole, sigma, w = in_float64(*case, SIGMA, W)
        held = Blend(target, hole)(denoiser.probe(x, sigma), w)
        gradient = jax.grad(lambda x: jnp.square(denoiser.probe(x, sigma) - held).sum())(x)
        expected = x - 0.02 * jnp.sqrt(sigma) * gradient / gradient.std(ddof=1)
        guidance = PosteriorGuidance(Blend(target, hole), 0.02, "full")
        np.testing.assert_allclose(guidance.correct(x, sigma, w, denoiser, KEY), expected, rtol=1e-9)


def in_float64(*trees):
    return jax.tree.map(lambda a: jnp.asarray(a, bool if jnp.asarray(a).dtype.kind == "b" else jnp.float64), trees)


def test_half_rounds_the_correction(case):
    with jax.enable_x64(True):
        denoiser, x, target, hole, sigma, w = in_float64(*case, SIGMA, W)
        exact, rounded = (
            x - PosteriorGuidance(Blend(target, hole), 0.02, half=half).correct(x, sigma, w, denoiser, KEY)
            for half in (False, True)
        )
        np.testing.assert_allclose(rounded, np.float16(exact), rtol=0, atol=1e-12)
        assert (rounded != exact).any()


def test_one_tile_is_no_tile(case):
    denoiser, x, target, hole = case
    plain = PosteriorGuidance(Blend(target, hole))
    tiled = Tiled(plain, (Window(0, 0, 8, 8),))
    np.testing.assert_allclose(
        tiled.correct(x, SIGMA, W, denoiser, KEY), plain.correct(x, SIGMA, W, denoiser, KEY), atol=1e-5
    )


def test_tiles_are_corrected_apart_and_the_first_wins(case):
    denoiser, x, target, hole = case
    plain = PosteriorGuidance(Blend(target, hole))
    windows = overlapping_windows(8, 8, 2, extra_rows=1)
    assert len({(w.height, w.width) for w in windows}) == 2
    corrected = jax.jit(Tiled(plain, windows).correct)(x, SIGMA, W, denoiser, KEY)
    owner = np.full((8, 8), -1)
    for index, window in reversed(list(enumerate(windows))):
        owner[window.row : window.row + window.height, window.column : window.column + window.width] = index
    assert set(owner.ravel()) == {0, 1, 2, 3}
    for index, window in enumerate(windows):
        part = plain.window(window).correct(window.crop(x), SIGMA, W, denoiser.window(window), KEY)
        mine = owner == index
        np.testing.assert_allclose(corrected[:, :, mine], window.paste(jnp.zeros_like(x), part)[:, :, mine], atol=1e-5)


def test_unguided_is_the_identity(case):
    denoiser, x, _, _ = case
    assert Unguided().correct(x, SIGMA, W, denoiser, KEY) is x
    assert Unguided().estimate(x, SIGMA, W, KEY) is x


def test_within_works_inside_its_interval_only(case):
    denoiser, x, target, hole = case
    for inside in (PosteriorGuidance(Blend(target, hole)), DirectGuidance(Blend(target, hole))):
        guidance: Guidance = Within(inside, 1.0, 3.0)
        for sigma in map(jnp.float32, (1.0, 2.0, 3.0)):
            corrected, expected = (g.correct(x, sigma, W, denoiser, KEY) for g in (guidance, inside))
            np.testing.assert_allclose(corrected, expected, rtol=1e-5, atol=1e-5)
            estimated, expected = (g.estimate(x, sigma, W, KEY) for g in (guidance, inside))
            np.testing.assert_allclose(estimated, expected, rtol=1e-5, atol=1e-5)
        for sigma in map(jnp.float32, (0.9, 3.1)):
            np.testing.assert_array_equal(guidance.correct(x, sigma, W, denoiser, KEY), x)
            np.testing.assert_array_equal(guidance.estimate(x, sigma, W, KEY), x)


def test_filled_holes_draw_the_estimate_towards_the_guess_in_holes_at_large_noise(case):
    denoiser, x, target, hole = case
    hole = hole.at[:, 1].set(True)  # of this frame nothing is known, and nothing guessed
    inside = PosteriorGuidance(Blend(target, hole))
    guidance: Guidance = FilledHoles(inside, WarpedViews(target, hole), 0.25, 2.0)
    expected = np.asarray(inside.estimate(x, SIGMA, W, KEY))
    np.testing.assert_array_equal(
        guidance.correct(x, SIGMA, W, denoiser, KEY), inside.correct(x, SIGMA, W, denoiser, KEY)
    )
    np.testing.assert_array_equal(guidance.estimate(x, jnp.float32(1.9), W, KEY), expected)
    estimate = np.asarray(guidance.estimate(x, jnp.float32(2.0), W, KEY))
    there = np.asarray(hole & (jnp.arange(3) != 1)[:, None, None])
    assert 0 < there.sum() < there.size
    np.testing.assert_array_equal(estimate[~there], expected[~there])
    np.testing.assert_allclose(estimate[there], (0.75 * expected + 0.25 * target)[there], atol=1e-6)


def test_a_last_frame_that_is_left_to_the_model_is_not_drawn_to_a_guess(case):
    _, x, target, hole = case
    settings = GuidanceSettings("dgs", "blend", free_last=True, hole_strength=0.5)
    guidance = make_guidance(settings, WarpedViews(target, hole), 2, "views")
    estimate = np.asarray(guidance.estimate(x, SIGMA, W, KEY))
    np.testing.assert_array_equal(estimate[:, -1], x[:, -1])
    assert np.abs(estimate - x)[:, :-1].max() > 0.1


def test_tiles_take_their_part_of_trust_of_cells(case):
    denoiser, x, target, hole = case
    plain = PosteriorGuidance(Blend(target, hole))
    windows = overlapping_windows(8, 8, 2)
    cells = jax.random.uniform(jax.random.key(3), (3, 8, 8))
    corrected = Tiled(plain, windows).correct(x, SIGMA, cells, denoiser, KEY)
    window = windows[0]
    part = plain.window(window).correct(
        window.crop(x), SIGMA, window.crop(cells[None])[0], denoiser.window(window), KEY
    )
    np.testing.assert_allclose(window.crop(corrected), part, atol=1e-5)
