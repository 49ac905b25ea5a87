import jax.numpy as jnp
import numpy as np

from nvs_jax.geometry import disparity_to_depth


def test_depth_is_inverse_disparity_within_limits():
    disparity = jnp.array([-1, 0, 1e-6, 1, 100, 250, 1e9], jnp.float32)
    np.testing.assert_allclose(disparity_to_depth(disparity), [500, 500, 500, 500, 100, 40, 1e-4])
    np.testing.assert_allclose(disparity_to_depth(disparity, far=10000.0)[:5], [10000] * 4 + [100])
    np.testing.assert_allclose(disparity_to_depth(disparity, 1e9, scale=1.0, smallest=1e-3)[:3], 1e3)
