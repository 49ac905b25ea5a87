import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry import intrinsics_matrix
from nvs_jax.geometry import surfaces as planes

fit_surfaces = jax.jit(planes.fit_surfaces, static_argnums=2)
K = intrinsics_matrix(20.0, 12, 16)


def test_planes_have_constant_slopes():
    y, x = jnp.meshgrid(jnp.arange(12.0), jnp.arange(16.0), indexing="ij")
    inverse = 0.1 + 0.002 * x - 0.003 * y
    surfaces = fit_surfaces(1 / inverse, K, 83.0)
    np.testing.assert_allclose(surfaces.inverse, inverse, rtol=1e-6)
    np.testing.assert_allclose(surfaces.slope_x, 0.002, atol=1e-6)
    np.testing.assert_allclose(surfaces.slope_y, -0.003, atol=1e-6)
    assert surfaces.whole.all()


def test_both_sides_of_a_jump_are_torn_and_neither_leans_across_it():
    depth = jnp.where(jnp.arange(16) < 7, 2.0, 6.0)[None].repeat(12, 0)
    surfaces = fit_surfaces(depth, K, 83.0)
    torn = np.zeros((12, 16), bool)
    torn[:, 6:8] = True
    np.testing.assert_array_equal(surfaces.whole, ~torn)
    np.testing.assert_array_equal(surfaces.slope_x, 0)
    assert fit_surfaces(depth, K, None).whole.all()


@pytest.mark.parametrize("focal", [20.0, 80.0])
def test_the_threshold_is_the_tilt_of_a_surface(focal):
    """Seen in the middle of the picture, a plane tilted by a has 1/z = (1 + tan(a) (x - c) / f) / z0."""
    x = jnp.arange(16.0) - 8
    for tilt, whole in ((70.0, True), (80.0, False)):
        inverse = 1 + jnp.tan(jnp.radians(tilt)) * x[None].repeat(3, 0) / focal
        middle = fit_surfaces(1 / inverse, intrinsics_matrix(focal, 3, 16), 75.0).whole[1, 8]
        assert bool(middle) is whole


def test_gaps_without_depth_are_not_seen_and_tear_their_neighbours():
    depth = jnp.full((12, 12), 3.0).at[4:8, 4:8].set(jnp.nan).at[0, 11].set(-1.0)
    surfaces = fit_surfaces(depth, K, 83.0)
    assert not surfaces.seen[4:8, 4:8].any()
    assert not surfaces.seen[0, 11]
    assert surfaces.seen.sum() == 144 - 17
    np.testing.assert_array_equal(surfaces.whole[5], [True] * 3 + [False] * 6 + [True] * 3)
    np.testing.assert_array_equal(surfaces.inverse[4:8, 4:8], 0)


def test_a_speck_without_depth_is_part_of_its_surface():
    y, x = jnp.meshgrid(jnp.arange(12.0), jnp.arange(16.0), indexing="ij")
    inverse = 0.1 + 0.002 * x - 0.003 * y
    depth = (1 / inverse).at[5, 5].set(jnp.inf).at[8, 3:6].set(0.0)
    surfaces = fit_surfaces(depth, K, 83.0)
    np.testing.assert_allclose(surfaces.inverse, inverse, rtol=1e-5)
    np.testing.assert_allclose(surfaces.slope_x, 0.002, atol=1e-6)
    assert surfaces.whole.all()
