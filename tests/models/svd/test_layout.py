import jax.numpy as jnp
import numpy as np

from nvs_jax.models.svd.layout import over_space, over_time, per_frame

VIDEO = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.float32).reshape(2, 3, 4, 5, 6)


def test_per_frame_hands_every_frame_its_batch_elements_share():
    shared = np.array([10.0, 20.0], np.float32)
    result = per_frame(lambda x, s: x[:, ::2, :, :1] + s[:, None, None, None], jnp.asarray(VIDEO), jnp.asarray(shared))
    np.testing.assert_array_equal(result, VIDEO[:, :, ::2, :, :1] + shared[:, None, None, None, None])


def test_over_space_sees_the_locations_of_one_frame():
    result = over_space(lambda x: jnp.cumsum(x, axis=1), jnp.asarray(VIDEO))
    expected = VIDEO.reshape(2, 3, 20, 6).cumsum(axis=2).reshape(VIDEO.shape)
    np.testing.assert_array_equal(result, expected)


def test_over_time_sees_the_frames_of_one_location():
    result = over_time(lambda x: jnp.cumsum(x, axis=1), jnp.asarray(VIDEO))
    np.testing.assert_array_equal(result, VIDEO.cumsum(axis=1))


def test_over_time_goes_through_locations_row_by_row_and_batch_elements_slowest():
    over_time(lambda x: np.testing.assert_array_equal(x[20 + 5 * 2 + 3], VIDEO[1, :, 2, 3]) or x, jnp.asarray(VIDEO))
