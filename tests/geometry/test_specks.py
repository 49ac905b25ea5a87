"""Specks of unknown depth inside a surface, and what must stay unknown."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry import specks
from nvs_jax.geometry.specks import LONGEST

fill_specks = jax.jit(specks.fill_specks)
STEEPEST = (jnp.array(0.03), jnp.array(0.03))


def plane():
    y, x = np.mgrid[:40, :60]
    return (0.5 + 0.002 * x + 0.003 * y).astype(np.float32)


@pytest.mark.parametrize(("share", "left"), [(0.01, 0.0), (0.1, 0.001), (0.3, 0.02)])
def test_specks_are_filled_from_their_plane(share, left):
    known = np.random.default_rng(0).random(plane().shape) >= share
    filled = np.asarray(fill_specks(jnp.asarray(plane()), jnp.asarray(known), STEEPEST))
    inner = (slice(4, -4), slice(4, -4))  # at the border a pixel may have neighbours on one side only
    assert (filled[inner] == 0).mean() <= left
    np.testing.assert_allclose(filled[filled > 0], plane()[filled > 0], rtol=1e-5)
    np.testing.assert_array_equal(filled[known], plane()[known])


def test_large_regions_and_borders_stay_unknown():
    known = np.ones((40, 60), bool)
    known[10 : 11 + LONGEST, 20 : 21 + LONGEST] = False  # one longer than what is filled, both ways
    known[:1], known[:, -2:] = False, False
    filled = np.asarray(fill_specks(jnp.asarray(plane()), jnp.asarray(known), STEEPEST))
    np.testing.assert_array_equal(filled > 0, known)


@pytest.mark.parametrize("axis", [0, 1])
def test_nothing_is_filled_across_surfaces(axis):
    near = np.indices((40, 60))[axis] >= 20
    inverse = np.where(near, 2.0, 0.5).astype(np.float32)
    known = np.indices((40, 60))[axis] != 20  # between the two, along the whole edge
    known[20, 20] = False
    filled = np.asarray(fill_specks(jnp.asarray(inverse), jnp.asarray(known), STEEPEST))
    along = (slice(None), slice(5, -5)) if axis == 0 else (slice(5, -5), slice(None))
    np.testing.assert_array_equal((filled > 0)[along], known[along])


def test_the_shorter_gap_counts():
    inverse = plane().copy()
    inverse[20, :] += 0.01
    known = np.ones((40, 60), bool)
    known[20, 30], known[18:20, 30] = False, False  # one unknown in its row, three in its column
    filled = np.asarray(fill_specks(jnp.asarray(inverse), jnp.asarray(known), STEEPEST))
    np.testing.assert_allclose(filled[20, 30], inverse[20, 30], rtol=1e-5)


def test_pictures_smaller_than_a_gap():
    for shape in ((1, 1), (1, 5), (2, 2)):
        assert fill_specks(jnp.ones(shape), jnp.zeros(shape, bool), STEEPEST).shape == shape
