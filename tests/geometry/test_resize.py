import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry.resize import resize_depth, resize_picture


@pytest.mark.parametrize(("old", "new"), [(1200, 576), (128, 576), (7, 3), (3, 7), (5, 5)])
def test_both_rules_follow_their_formulas(old, new):
    rows = np.arange(new)
    ramp = jnp.arange(old, dtype=jnp.float32)
    scale = old / new
    np.testing.assert_array_equal(resize_picture(ramp[:, None], new, 1)[:, 0], np.floor((rows + 0.5) * scale))
    np.testing.assert_array_equal(resize_picture(ramp[None], 1, new)[0], np.floor((rows + 0.5) * scale))
    np.testing.assert_array_equal(resize_depth(ramp[:, None], new, 1)[:, 0], np.floor(rows * scale + 1e-9))
    np.testing.assert_array_equal(resize_depth(ramp[None], 1, new)[0], np.floor(rows * scale + 1e-9))


def test_channels_travel_together():
    picture = jnp.arange(24.0).reshape(2, 4, 3)
    np.testing.assert_array_equal(resize_picture(picture, 1, 2), picture[1:, [1, 3]])
    np.testing.assert_array_equal(resize_picture(picture, 2, 4), picture)
