import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from nvs_jax.errors import InputError
from nvs_jax.scenes import blur_edges, scale_and_shift

DEPTH = jnp.asarray(np.random.default_rng(0).uniform(1, 9, (20, 31)), jnp.float32)


def test_scale_and_shift_are_of_the_disparity():
    wrong = scale_and_shift(DEPTH, 0.8, 0.05)
    np.testing.assert_allclose(1 / wrong, 0.8 / DEPTH + 0.05, rtol=1e-6)
    np.testing.assert_allclose(scale_and_shift(DEPTH, 1.0, 0.0), DEPTH, rtol=1e-6)
    assert scale_and_shift(DEPTH, 1.0, -5.0).max() == pytest.approx(1e4)


@pytest.mark.parametrize("sigma", [0.7, 2.0, 9.0])
def test_blur_is_a_gaussian(sigma: float):
    expected = gaussian_filter(np.asarray(DEPTH, np.float64), sigma, mode="nearest", radius=int(np.ceil(3 * sigma)))
    np.testing.assert_allclose(blur_edges(DEPTH, sigma), expected, rtol=1e-5)


def test_blur_of_many_maps_and_under_jit():
    maps = jnp.stack([DEPTH, 2 * DEPTH])
    blurred = jax.jit(lambda maps: blur_edges(maps, 1.5))(maps)
    np.testing.assert_allclose(blurred[1], 2 * blur_edges(DEPTH, 1.5), rtol=1e-5)


def test_no_blur_and_wrong_blur():
    np.testing.assert_array_equal(blur_edges(DEPTH, 0.0), DEPTH)
    with pytest.raises(InputError, match="0 pixels or more"):
        blur_edges(DEPTH, -1.0)
