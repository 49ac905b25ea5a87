"""Random numbers of a scene: the same for a seed, never handed out twice, within their range."""

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.scenes.draws import Draws


def test_numbers_are_of_the_seed_and_lie_in_their_range():
    one, same, other = (Draws(jax.random.key(seed)).uniform((50, 3), -2, 5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert one.dtype == jnp.float32
    assert -2 <= one.min() < one.max() < 5


def test_no_number_is_handed_out_twice_when_the_first_draw_is_used_up():
    draws = Draws(jax.random.key(0))
    numbers = np.concatenate([np.asarray(draws.uniform((1000,), 0, 1)) for _ in range(9)])
    assert len(np.unique(numbers)) > 8990  # of 2^23: a few agree by chance


def test_choices_and_orders_are_of_what_there_is():
    draws, options = Draws(jax.random.key(0)), jnp.array([3, 5, 7])
    assert set(np.asarray(draws.choice(options, 100)).tolist()) == {3, 5, 7}
    assert sorted(np.asarray(draws.order(20)).tolist()) == list(range(20))
