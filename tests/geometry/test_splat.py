import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.geometry.splat import (
    accumulate,
    bilinear_taps,
    depth_weight,
    only_nearest,
    reference_taps,
    weighted_mean,
)
from tests.geometry import numpy_splat


def splat(colour, position, depth, size):
    taps = reference_taps(position, *size)
    taps = taps._replace(weight=taps.weight * depth_weight(jnp.clip(depth, 0, 5000), 50.0)[:, None])
    total, weight = accumulate(colour.T, taps, *size)
    return jnp.moveaxis(weighted_mean(total, weight), 0, -1), weight


_splat = jax.jit(splat, static_argnums=3)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(5, 8), (9, 4)]),
    st.sampled_from([0, 1, 2]),
    st.sampled_from([1.0, 100.0, 1e6]),
)
def test_agrees_with_numpy(seed, size, whole, farthest):
    """Positions on whole and half pixels, inside and far outside; depths in front of and behind the camera."""
    rng = np.random.default_rng(seed)
    position = rng.uniform(-4, 12, (60, 2))
    position[: 20 * whole] = np.round(position[: 20 * whole] * 2) / 2
    position[:2] *= 1e12
    depth = rng.uniform(-0.2, 1, 60) * farthest
    colour = rng.random((60, 3))
    with jax.enable_x64(True):
        picture, weight = _splat(jnp.asarray(colour), jnp.asarray(position), jnp.asarray(depth), size)
    expected_picture, expected_weight = numpy_splat.splat(colour, position, depth, size)
    np.testing.assert_allclose(weight, expected_weight, rtol=1e-9)
    np.testing.assert_allclose(picture, expected_picture, rtol=1e-9)


def test_a_whole_position_counts_twice_along_each_axis():
    taps = reference_taps(jnp.array([[2.0, 1.0], [2.5, 1.0], [2.25, 1.5]]), 4, 5)
    _, weight = accumulate(jnp.ones((1, 3)), taps, 4, 5)
    expected = np.zeros((4, 5))
    expected[1, 2:4] = [4 + 2 * 0.5 + 0.375, 2 * 0.5 + 0.125]
    expected[2, 2:4] = [0.375, 0.125]
    np.testing.assert_allclose(weight, expected)


def test_bilinear_taps_give_every_point_a_weight_of_one():
    position = jnp.array([[2.0, 1.0], [2.5, 1.0], [2.25, 1.5], [0.0, 0.0], [4.0, 3.0], [-9.0, 1.0], [99.0, 99.0]])
    taps = bilinear_taps(position, 4, 5)
    np.testing.assert_allclose(taps.weight.sum(1), 1)
    _, weight = accumulate(jnp.ones((1, 7)), taps, 4, 5)
    expected = np.zeros((4, 5))
    expected[0, 0] = expected[3, 4] = 1
    expected[1, 2:4] = [1 + 0.5 + 0.375, 0.5 + 0.125]
    expected[2, 2:4] = [0.375, 0.125]
    np.testing.assert_allclose(weight, expected)


def test_only_taps_at_the_nearest_depth_stay():
    position = jnp.array([[1.25, 1.0], [1.5, 1.0], [1.75, 1.0], [1.0, 1.0]])
    taps = bilinear_taps(position, 3, 4)
    kept = only_nearest(taps, jnp.array([10.4, 10.0, 20.0, 1.0]), jnp.array([True, True, True, False]), 0.05, 3, 4)
    np.testing.assert_array_equal(kept.weight[:2], taps.weight[:2])
    np.testing.assert_array_equal(kept.weight[2:], 0)


def test_the_nearest_surface_wins():
    position = jnp.array([[1.25, 1.5]] * 2)
    picture, _ = _splat(jnp.array([[1.0], [0.0]]), position, jnp.array([10.0, 400.0]), (3, 3))
    np.testing.assert_allclose(picture[1:, 1:3], np.ones((2, 2, 1)), atol=1e-6)


def test_depth_weight_spans_e_to_minus_sharpness():
    weight = depth_weight(jnp.array([0.0, 9.0, 99.0]), 50.0)
    np.testing.assert_allclose(weight, np.exp([0, -25, -50]), rtol=1e-5)
    np.testing.assert_array_equal(depth_weight(jnp.zeros(3), 50.0), 1)
    assert np.isfinite(jax.jacobian(depth_weight)(jnp.zeros(3), 50.0)).all()


@pytest.mark.parametrize("scale", [1.0, 1e-22, 1e-35])
def test_weighted_mean_keeps_its_gradient_at_the_smallest_weights(scale):
    """An ordinary quotient's gradient squares the weight: at 1e-22 that is 0 in float32, and the gradient infinite."""
    total, weight = jnp.array([[[0.3, 0.0]]]), jnp.array([[0.6, 0.0]])
    np.testing.assert_allclose(weighted_mean(scale * total, scale * weight)[0], [[0.5, 0]], rtol=1e-6)

    def relative(total, weight):
        return weighted_mean(scale * total, scale * weight)[0, 0, 0]

    by_total, by_weight = jax.grad(relative, (0, 1))(total, weight)
    np.testing.assert_allclose(by_total[0], [[1 / 0.6, 0]], rtol=1e-5)
    np.testing.assert_allclose(by_weight, [[-0.3 / 0.36, 0]], rtol=1e-5)
