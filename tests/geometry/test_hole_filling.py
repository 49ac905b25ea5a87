import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvs_jax.geometry import fill_holes

fill = jax.jit(fill_holes)


def random_pictures(seed: int, shape: tuple[int, int, int] = (2, 13, 18), known: float = 0.4):
    rng = np.random.default_rng(seed)
    return jnp.asarray(rng.random((*shape, 3), np.float32)), jnp.asarray(rng.random(shape) > known)


@given(st.integers(0, 2**16), st.sampled_from([0.02, 0.4, 1.0]))
def test_known_pixels_stay_and_holes_lie_between_them(seed, known):
    pictures, hole = random_pictures(seed, known=known)
    filled = np.asarray(fill(pictures, hole))
    np.testing.assert_allclose(filled[~hole], pictures[~hole], atol=1e-6)
    for before, after, mask in zip(np.asarray(pictures), filled, np.asarray(hole), strict=True):
        if not mask.all():
            assert after.min() >= before[~mask].min() - 1e-6 and after.max() <= before[~mask].max() + 1e-6


def test_what_holes_hold_makes_no_difference():
    pictures, hole = random_pictures(0)
    other = jnp.where(hole[..., None], jnp.nan, pictures)
    np.testing.assert_array_equal(fill(pictures, hole), fill(other, hole))


@given(st.integers(0, 2**16))
def test_it_is_linear_in_colour(seed):
    pictures, hole = random_pictures(seed)
    other, _ = random_pictures(seed + 1)
    both = fill(2 * pictures - 3 * other, hole)
    np.testing.assert_allclose(both, 2 * fill(pictures, hole) - 3 * fill(other, hole), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (2, 16, 16), (1, 17, 5)])
def test_a_picture_of_one_colour_is_completed_at_any_size(shape):
    _, hole = random_pictures(3, shape)
    hole = hole.at[:, 0, 0].set(False)
    np.testing.assert_allclose(fill(jnp.full((*shape, 3), 0.7), hole), 0.7, rtol=1e-6)


def test_half_known_pixels_are_half_the_picture_and_half_what_fills_them():
    pictures, hole = random_pictures(4)
    pixel = (0, 6, 9)
    filled = fill(pictures, hole.at[pixel].set(True))
    for unseen in (0.0, 0.25, 1.0):
        soft = fill(pictures, hole.astype(jnp.float32).at[pixel].set(unseen))
        if unseen in (0, 1):
            np.testing.assert_allclose(soft, fill(pictures, hole.at[pixel].set(bool(unseen))), atol=1e-6)
        assert abs(soft[pixel] - pictures[pixel]).max() <= unseen * abs(filled[pixel] - pictures[pixel]).max() + 0.1


def test_nothing_known_is_black():
    assert not fill(jnp.ones((1, 6, 7, 3)), jnp.ones((1, 6, 7), bool)).any()


def test_the_nearer_side_of_a_hole_wins():
    """Left of a wide hole all is 0, right of it 1: in between it rises."""
    picture = jnp.broadcast_to((jnp.arange(64) > 31).astype(jnp.float32)[:, None], (1, 8, 64, 1))
    hole = jnp.broadcast_to((jnp.arange(64) > 15) & (jnp.arange(64) < 48), (1, 8, 64))
    row = np.asarray(fill(picture, hole))[0, 4, :, 0]
    assert np.all(np.diff(row) >= -1e-6) and row[18] < 0.3 and row[45] > 0.7
