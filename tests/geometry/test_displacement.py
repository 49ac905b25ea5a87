import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry import intrinsics_matrix
from nvs_jax.geometry.displacement import displacement_uncertainty, pixel_displacements
from nvs_jax.settings import WarpSettings

K = intrinsics_matrix(20.0, 8, 12)


def aside(*shifts):
    """Cameras moved along x."""
    return jnp.tile(jnp.eye(4), (len(shifts), 1, 1)).at[:, 0, 3].set(jnp.array(shifts))


@pytest.mark.parametrize("per_frame", [False, True])
def test_a_wall_is_displaced_by_its_disparity(per_frame):
    depth = jnp.full((3, 8, 12) if per_frame else (8, 12), 5.0)
    moved = pixel_displacements(depth, K, jnp.eye(4), aside(0.0, 0.5, 1.0))
    np.testing.assert_allclose(moved, np.broadcast_to(np.reshape([0, 2, 4], (3, 1, 1)), moved.shape), atol=1e-4)


def test_near_pixels_move_more_and_unknown_ones_count_as_the_most():
    depth = jnp.full((8, 12), 10.0).at[:, 6:].set(4.0).at[0, 0].set(jnp.inf)
    (moved,) = pixel_displacements(depth, K, jnp.eye(4), aside(0.2))
    assert float(moved[4, 3]) == pytest.approx(0.4, abs=1e-3)
    assert float(moved[4, 9]) == pytest.approx(1.0, abs=1e-3)
    assert float(moved[0, 0]) == pytest.approx(1.0, abs=1e-3)


def test_uncertainty_is_the_spread_of_displaced_positions():
    depth, spread = jnp.full((8, 12), 6.0), jnp.full((8, 12), 0.01)
    pose, other = aside(0.0, 0.7)
    # Depth shifts the disparity f b / z by f b / z^2.
    expected = 20 * 0.7 / 36 * 0.01
    np.testing.assert_allclose(displacement_uncertainty(depth, spread, K, pose, other), expected, rtol=1e-4)


@pytest.mark.full
def test_gradient_in_depth_is_finite_everywhere():
    settings = WarpSettings(splat="bilinear")  # compiles faster than the default
    gradient = jax.grad(lambda depth: pixel_displacements(depth, K, jnp.eye(4), aside(0.0, 0.5), settings).sum())
    assert jnp.isfinite(gradient(jnp.full((8, 12), 5.0).at[2, 3].set(jnp.inf))).all()
