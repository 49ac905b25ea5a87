import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.errors import InputError
from nvs_jax.geometry import dilate
from nvs_jax.geometry.masks import smallest_around
from tests.geometry import numpy_splat


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 5, 9]), st.sampled_from([(7, 11), (3, 2), (20, 6)]))
def test_grows_by_a_square_and_not_from_outside(seed, size, shape):
    mask = np.random.default_rng(seed).random(shape) < 0.05
    np.testing.assert_array_equal(dilate(jnp.asarray(mask), size), numpy_splat.dilate(mask, size))


@pytest.mark.parametrize("size", [-1, 0, 4])
def test_refuses_a_square_without_a_middle(size):
    with pytest.raises(InputError, match="odd"):
        dilate(jnp.zeros((4, 4), bool), size)


def test_smallest_around_looks_into_a_square():
    x = np.random.default_rng(0).normal(size=(6, 5))
    padded = np.pad(x, 1, constant_values=np.inf)
    expected = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).min((-1, -2))
    np.testing.assert_allclose(smallest_around(jnp.asarray(x), 3), expected, rtol=1e-6)
