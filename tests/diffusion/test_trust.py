import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads
from jax.tree_util import Partial

from nvs_jax.diffusion import (
    Coefficients,
    TabulatedTrust,
    closed_form_trust,
    error_model_trust,
    karras_sigmas,
    log_lambda,
    optimal_trust,
    trust_table,
)

coefficients = st.builds(
    Coefficients, *(st.floats(low, high, allow_nan=False) for low, high in ((1e-3, 2.0), (0.0, 50.0), (0.0, 50.0)))
)


def objective(log_lambda, sigma, distance, c):
    """J of (17)."""
    lam = np.exp(log_lambda)
    return c.v2 * sigma / (1 + lam) + c.v3 * distance * lam / (1 + lam) + c.v1 * np.abs(log_lambda)


@settings(max_examples=200, deadline=None)
@given(coefficients, st.floats(0, 1), st.floats(0, 1))
def test_no_lambda_on_a_fine_grid_does_better(c, sigma, distance):
    with jax.enable_x64(True):
        w = float(optimal_trust(jnp.float64(sigma), jnp.float64(distance), c))
    log_lambda = np.log(w) - np.log1p(-w)
    grid = np.linspace(-25, 25, 20001)
    best = objective(grid, sigma, distance, c).min()
    assert objective(log_lambda, sigma, distance, c) <= best + 1e-9 * max(1, abs(best))


@settings(max_examples=100, deadline=None)
@given(coefficients, st.floats(0, 1), st.floats(0, 1))
def test_float32_is_as_good_as_float64(c, sigma, distance):
    single = optimal_trust(jnp.float32(sigma), jnp.float32(distance), c)
    with jax.enable_x64(True):
        double = optimal_trust(jnp.float64(sigma), jnp.float64(distance), c)
        # In the kink's neighbourhood w jumps: compare the objective instead of w.
        values = [objective(np.log(float(w)) - np.log1p(-float(w)), sigma, distance, c) for w in (single, double)]
    assert values[0] == pytest.approx(values[1], rel=1e-4, abs=1e-4)


def test_given_frames_have_trust_one_and_far_ones_less():
    table = trust_table(jnp.array([700.0, 5.0, 0.002]), jnp.arange(25.0))
    assert table.shape == (3, 25)
    assert (table[:, 0] == 1).all()
    assert (jnp.diff(table, axis=1) <= 1e-7).all()
    assert (jnp.diff(table[:, 1:], axis=0) <= 1e-7).all()


def test_the_callable_form_gives_the_rows_of_the_table():
    sigmas, distances = jnp.array([700.0, 20.0, 0.5]), jnp.linspace(0, 3, 7)
    trust = closed_form_trust(distances, sigmas[0])
    np.testing.assert_array_equal(jnp.stack([trust(s) for s in sigmas]), trust_table(sigmas, distances))


def test_tabulated_trust_is_linear_in_log_sigma_and_constant_beyond_their_levels():
    trust = TabulatedTrust(jnp.array([100.0, 1.0]), jnp.array([[1.0, 0.9], [1.0, 0.1]]))
    found = [float(trust(jnp.float32(s))[1]) for s in (700.0, 100.0, 10.0, 1.0, 0.001, 0.0)]
    assert found == pytest.approx([0.9, 0.9, 0.5, 0.1, 0.1, 0.1])


def test_a_row_of_a_table_answers_exactly_at_its_level():
    sigmas = karras_sigmas(25)[:-1]
    table = jax.random.uniform(jax.random.key(0), (25, 4))
    np.testing.assert_allclose(jnp.stack([TabulatedTrust(sigmas, table)(s) for s in sigmas]), table, atol=1e-6)


def test_gradients_match_finite_differences():
    def loss(v, sigma, distance):
        return optimal_trust(sigma, distance, Coefficients(*map(jnp.asarray, v))).sum()

    with jax.enable_x64(True):
        sigma, distance = jnp.array([0.9, 0.001, 0.3]), jnp.array([0.1, 0.9, 0.8])
        v = tuple(map(jnp.float64, (0.7, 30.0, 40.0)))
        check_grads(jax.jit(loss), (v, sigma, distance), order=1, modes=("fwd", "rev"), eps=1e-6, rtol=1e-6)


def test_gradient_is_finite_everywhere():
    def loss(v, sigma, distance):
        return optimal_trust(sigma, distance, Coefficients(*v)).sum()

    sigma, distance = jnp.meshgrid(jnp.linspace(0, 1, 33), jnp.linspace(0, 1, 33))
    for gradient in jax.grad(loss, argnums=(0, 1, 2))((0.001, 1000.0, 10.0), sigma, distance):
        assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@settings(max_examples=100, deadline=None)
@given(coefficients, st.floats(0, 1), st.floats(0, 1))
def test_trust_is_the_sigmoid_of_log_lambda(c, sigma, distance):
    at = jnp.float32(sigma), jnp.float32(distance), c
    np.testing.assert_allclose(jax.nn.sigmoid(log_lambda(*at)), optimal_trust(*at), rtol=1e-5)


def test_log_lambda_is_finite_with_its_slopes_where_trust_has_no_digits_left():
    """At w = 1 in float32, and beyond what lambda itself could be."""
    at = (jnp.float32(1e-30), jnp.float32(1000.0), jnp.float32(0.0))

    def loss(v1, v2, distance):
        return log_lambda(jnp.float32(1.0), distance, Coefficients(v1, v2, 10.0))

    value, slopes = jax.value_and_grad(loss, (0, 1, 2))(*at)
    assert optimal_trust(jnp.float32(1.0), at[2], Coefficients(*at[:2], 10.0)) == 1
    assert float(value) == pytest.approx(np.log(1000 / 1e-30), rel=1e-6)
    np.testing.assert_allclose(slopes, (-1e30, 1e-3, -1e-2), rtol=1e-5)


def test_all_poses_alike_are_all_given():
    assert (trust_table(jnp.array([700.0, 1.0]), jnp.zeros(3)) == 1).all()


def linear(slope, x):
    return slope * x


def test_the_papers_error_model_is_the_closed_form():
    distances = jnp.linspace(0, 3, 7)
    own = error_model_trust(distances, 700.0, Partial(linear, 1000.0), Partial(linear, 10.0))
    paper = closed_form_trust(distances, 700.0)
    for sigma in (700.0, 20.0, 3.0, 0.01):
        np.testing.assert_array_equal(own(jnp.float32(sigma)), paper(jnp.float32(sigma)))


def test_an_error_model_is_minimised_and_differentiable():
    """Saturating errors: no lambda on a fine grid does better."""

    def saturating(scale, x):
        return scale * jnp.tanh(3 * x)

    def trust(scale, sigma):
        models = Partial(saturating, 4.0), Partial(saturating, scale)
        return error_model_trust(jnp.array([0.0, 0.2, 1.0]), 80.0, *models, 0.3)(sigma)

    with jax.enable_x64(True):
        w = np.asarray(trust(5.0, jnp.float64(20.0)))
        assert w[0] == 1
        grid = np.linspace(-25, 25, 20001)
        for distance, here in zip((0.2, 1.0), w[1:], strict=True):
            numbers = Coefficients(0.3, 4 * np.tanh(0.75), 5 * np.tanh(3 * distance))
            best = objective(grid, 1.0, 1.0, numbers).min()
            assert objective(np.log(here / (1 - here)), 1.0, 1.0, numbers) <= best + 1e-9
        check_grads(lambda s: trust(s, jnp.float64(20.0)).sum(), (5.0,), order=1, modes=("rev",), eps=1e-6, rtol=1e-6)


def test_trust_of_cells_is_that_of_frames_at_their_distances():
    distances = jax.random.uniform(jax.random.key(0), (3, 4, 5)).at[0].set(0.0).at[2, 3, 4].set(1.0)
    cells = closed_form_trust(distances, 700.0)(jnp.float32(2.0))
    frames = closed_form_trust(distances.ravel(), 700.0)(jnp.float32(2.0))
    np.testing.assert_array_equal(cells, frames.reshape(3, 4, 5))
