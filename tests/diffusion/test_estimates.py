import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.diffusion import Blend, Select, Window


def random_case(seed, shape=(1, 3, 4, 6, 4), holes=0.3):
    keys = jax.random.split(jax.random.key(seed), 3)
    x0, target = (jax.random.normal(key, shape) for key in keys[:2])
    return x0, target, jax.random.bernoulli(keys[2], holes, shape[:-1])


def select_by_hand(x0, target, hole, w, clamp):
    """The release's rule, a frame at a time, in numpy."""
    out = np.array(x0)
    for frame in range(x0.shape[1]):
        x, t, h = (np.asarray(a[0, frame]) for a in (x0, target, hole))
        difference = np.where(h[..., None], 0, np.abs(x - t))
        n, z = difference.size, h.sum()
        k = int(np.clip(w[frame], clamp, 1) * (n - z)) + z
        cutoff = np.sort(difference.ravel())[k - 1]
        out[0, frame] = np.where(~h[..., None] & (difference <= cutoff), t, x)
    return out


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), st.floats(0, 1, width=32))
def test_select_equals_the_rule_by_hand(seed, w, clamp):
    x0, target, hole = random_case(seed)
    ours = Select(target, hole, clamp)(x0, jnp.array(w))
    np.testing.assert_array_equal(ours, select_by_hand(x0, target, hole, np.float32(w), np.float32(clamp)))


def test_select_takes_everything_when_the_index_wraps():
    x0, target, hole = random_case(0, holes=0.0)
    np.testing.assert_array_equal(Select(target, hole)(x0, jnp.zeros(3)), target)


@pytest.mark.parametrize("rule", [Select, Blend])
def test_given_and_free_frames(rule):
    x0, target, hole = random_case(1)
    hole = hole.at[:, 0].set(False).at[:, 1].set(True)
    out = rule(target, hole)(x0, jnp.ones(3))
    np.testing.assert_allclose(out[:, 0], target[:, 0], atol=1e-6)
    np.testing.assert_array_equal(out[:, 1], x0[:, 1])


def test_blend_is_equation_12():
    x0, target, hole = random_case(2, holes=0.0)
    w = jnp.array([0.2, 0.5, 0.9])
    lam = (w / (1 - w))[:, None, None, None]
    np.testing.assert_allclose(Blend(target, hole)(x0, w), (x0 + lam * target) / (1 + lam), rtol=2e-5, atol=1e-6)


def test_a_window_of_the_rule_is_the_rule_on_the_window():
    x0, target, hole = random_case(3)
    window, w = Window(1, 2, 2, 3), jnp.array([0.7, 0.4, 1.0])
    cropped = Select(window.crop(target), window.crop(hole), 0.2)(window.crop(x0), w)
    np.testing.assert_array_equal(Select(target, hole, 0.2).window(window)(window.crop(x0), w), cropped)
