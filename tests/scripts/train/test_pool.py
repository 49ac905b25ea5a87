import jax
import jax.numpy as jnp
import numpy as np
import pytest

from scripts.train import pool as module
from scripts.train.clips import render_clip
from scripts.train.pool import clips_by_number, empty_pool, held_out_clips, whole, with_new
from scripts.train.settings import ClipSettings

SETTINGS = ClipSettings(count=7, held_out=3, first_seed=50, frames=2, height=4, width=6, samples=1)


def make(numbers, fixed):
    return {"number": numbers, "twice": fixed * numbers[:, None]}


def test_the_newest_replace_the_oldest():
    pool = empty_pool(make, jnp.int32(2), 5, 0)
    assert int(pool.filled) == 0
    renew = jax.jit(lambda pool: with_new(pool, make, jnp.int32(2), 2))
    pool = renew(renew(pool))
    assert int(pool.filled) == 4
    np.testing.assert_array_equal(pool.kept["number"][:4], [0, 1, 2, 3])
    pool = renew(pool)
    assert int(pool.filled) == 5
    np.testing.assert_array_equal(pool.kept["number"], [5, 1, 2, 3, 4])
    np.testing.assert_array_equal(pool.kept["twice"][:, 0], [10, 2, 4, 6, 8])


def test_a_pool_that_goes_on_draws_from_nothing_that_is_not_there():
    """After a break the first places are filled first, whatever the number of the next clip."""
    pool = with_new(empty_pool(make, jnp.int32(1), 5, 13), make, jnp.int32(1), 3)
    assert sorted(np.asarray(pool.kept["number"])[: int(pool.filled)]) == [13, 14, 15]


def test_all_of_a_whole_pool_is_there():
    assert int(whole(jnp.zeros((7, 2))).filled) == 7


def test_held_out_clips_are_those_of_the_cached_way_and_no_clip_for_training(monkeypatch):
    """A clip is its key, here; rendering itself is tested with the cached way."""
    asked = lambda key, settings: jax.random.bits(key, (2,))  # noqa: E731
    monkeypatch.setattr(module, "render_clip", asked)
    held_out = np.asarray(held_out_clips(SETTINGS, 2))
    expected = [asked(jax.random.key(50 + index), SETTINGS) for index in (7, 8, 9)]
    np.testing.assert_array_equal(held_out, np.stack(expected))
    made = np.asarray(clips_by_number(SETTINGS, 4)(jnp.arange(200)))
    assert len(np.unique(made, axis=0)) == 200
    assert not (made[:, None] == held_out).all(-1).any()


@pytest.mark.full
def test_clips_do_not_depend_on_how_many_are_rendered_together():
    together = np.asarray(jax.jit(clips_by_number(SETTINGS, 2))(jnp.arange(3)))
    alone = render_clip(jax.random.fold_in(jax.random.key(50), 2), SETTINGS)
    assert together.shape == (3, 2, 4, 6, 3) and together.std() > 5
    assert np.abs(together[2].astype(int) - np.asarray(alone)).max() <= 1
