import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from nvs_jax.diffusion import Blend, Select, SmoothSelect, Window


def random_case(seed, shape=(1, 3, 4, 6, 4), holes=0.3):
    keys = jax.random.split(jax.random.key(seed), 3)
    x0, target = (jax.random.normal(key, shape) for key in keys[:2])
    return x0, target, jax.random.bernoulli(keys[2], holes, shape[:-1])


def select_by_hand(x0, target, hole, w, clamp):
    """The share w of the values outside holes, a frame at a time, in numpy."""
    out = np.array(x0)
    for frame in range(x0.shape[1]):
        x, t, h = (np.asarray(a[0, frame]) for a in (x0, target, hole))
        difference = np.abs(x - t)
        free = np.sort(difference[~h].ravel())
        k = int(np.clip(w[frame], clamp, 1) * np.float32(free.size))
        cutoff = free[k - 1] if k else -1
        out[0, frame] = np.where(~h[..., None] & (difference <= cutoff), t, x)
    return out


def release_by_hand(x0, target, hole, w, clamp):
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


TRUST = st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), TRUST, st.floats(0, 1, width=32), st.sampled_from([0.0, 0.02, 0.3, 1.0]))
@pytest.mark.parametrize(("counting", "by_hand"), [("free", select_by_hand), ("release", release_by_hand)])
def test_select_equals_the_rule_by_hand(counting, by_hand, seed, w, clamp, holes):
    x0, target, hole = random_case(seed, holes=holes)
    ours = Select(target, hole, clamp, counting)(x0, jnp.array(w))
    np.testing.assert_array_equal(ours, by_hand(x0, target, hole, np.float32(w), np.float32(clamp)))


@pytest.mark.parametrize("rule", [Select, SmoothSelect])
@pytest.mark.parametrize("holes", [0, 1, 12])
def test_selects_next_to_nothing_where_next_to_nothing_is_asked_for(rule, holes):
    """In a frame without holes as in one with a few: 96 values, of which 1e-4 is none."""
    x0, target, hole = random_case(0, holes=0.0)
    hole = hole.reshape(1, 3, -1).at[:, :, :holes].set(True).reshape(hole.shape)
    for w in (0.0, 1e-4):
        moved = jnp.abs(rule(target, hole)(x0, jnp.full(3, w)) - x0)
        assert float(moved.max()) < 0.02
        assert w or float(moved.max()) == 0


def test_select_takes_the_share_it_is_asked_for_however_many_holes_there_are():
    x0, target, _ = random_case(0, (1, 4, 10, 20, 4))
    hole = jnp.arange(200).reshape(10, 20) < jnp.array([0, 50, 100, 150])[:, None, None]
    for share in (0.2, 0.5, 0.8):
        taken = Select(target, hole[None])(x0, jnp.full(4, share)) == target
        np.testing.assert_allclose(taken.sum((0, 2, 3, 4)) / (800 - 4 * hole.sum((1, 2))), share, atol=0.006)


def test_the_release_takes_everything_when_its_index_wraps():
    x0, target, hole = random_case(0, holes=0.0)
    np.testing.assert_array_equal(Select(target, hole, 0.0, "release")(x0, jnp.zeros(3)), target)


@pytest.mark.parametrize("rule", [Select, SmoothSelect, Blend])
def test_several_videos_share_their_views(rule):
    x0, target, hole = random_case(1, (3, 3, 4, 6, 4))
    w = jnp.array([1.0, 0.4, 0.7])
    together = rule(target[:1], hole[:1])(x0, w)
    for video in range(3):
        np.testing.assert_allclose(
            together[video], rule(target[:1], hole[:1])(x0[video : video + 1], w)[0], rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("rule", [Select, SmoothSelect, Blend])
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


@pytest.mark.full
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(4, 40), min_size=3, max_size=3))
def test_smooth_selection_tends_to_selection(seed, taken):
    """Where w asks for whole values: of others a part of one is taken."""
    with jax.enable_x64(True):
        x0, target, hole = random_case(seed, holes=0.1)
        x0, target = (jnp.asarray(a, jnp.float64) for a in (x0, target))
        w = (jnp.array(taken) + 1e-9) / (4 * (~hole).sum((-1, -2))[0])
        exact = Select(target, hole)(x0, w)
        # Neighbours may lie close together: the colder, the nearer.
        errors = [float(jnp.abs(SmoothSelect(target, hole, 0.0, t)(x0, w) - exact).max()) for t in (1e-1, 1e-11)]
        assert errors[1] < 1e-6
        assert errors[0] > errors[1]


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_smooth_selection_takes_the_share_it_is_asked_for_and_its_slope_is_one(temperature):
    """Of what is free, however many holes there are."""
    difference, _, _ = random_case(0, (1, 4, 10, 20, 4))
    hole = (jnp.arange(200).reshape(10, 20) < jnp.array([0, 50, 100, 190])[:, None, None])[None]
    free = 4 * (~hole).sum((-1, -2))[0]

    def share(w):
        soft = SmoothSelect(jnp.abs(difference), hole, 0.0, temperature)(jnp.zeros_like(difference), w)
        return (soft / jnp.abs(difference)).sum((0, 2, 3, 4)) / free

    for w in (0.003, 0.2, 0.5, 0.95):
        taken, slope = jax.jvp(share, (jnp.full(4, w),), (jnp.ones(4),))
        np.testing.assert_allclose(taken, w, atol=1e-5)
        np.testing.assert_allclose(slope, 1, rtol=1e-3)


@pytest.mark.parametrize("rule", [SmoothSelect, Blend])
def test_views_that_are_known_in_part_count_in_part(rule):
    """And those that are known wholly, or not at all, as without holes and in them."""
    x0, target, hole = random_case(8)
    w, share = jnp.array([0.3, 0.9, 1.0]), jnp.where(hole, 0.0, 1.0)
    np.testing.assert_array_equal(rule(target, hole, known=share)(x0, w), rule(target, hole)(x0, w))
    whole = rule(target, hole, known=share)(x0, jnp.ones(3)) - x0
    half = rule(target, hole, known=share / 2)(x0, jnp.ones(3)) - x0
    np.testing.assert_allclose(half, whole / 2, atol=1e-6)
    window = Window(1, 2, 2, 3)
    known = rule(target, hole, known=share / 2).window(window).known
    assert known is not None
    np.testing.assert_array_equal(known, window.crop(share) / 2)


@pytest.mark.full
def test_smooth_selection_takes_more_as_w_grows_and_without_jumps():
    x0, target, hole = random_case(5)
    rule = SmoothSelect(target, hole, 0.0, 0.05)
    taken = [float(jnp.abs(rule(x0, jnp.full(3, w)) - x0).sum()) for w in np.linspace(0.01, 0.99, 99)]
    steps = np.diff(taken)
    assert (steps > -1e-3).all()
    assert steps.max() < 0.1 * (taken[-1] - taken[0])


@pytest.mark.parametrize("per_cell", [False, True])
def test_gradients_of_smooth_selection(per_cell):
    with jax.enable_x64(True):
        x0, target, hole = random_case(6)
        x0, target = (jnp.asarray(a, jnp.float64) for a in (x0, target))
        w = jnp.asarray(np.random.default_rng(0).uniform(0.2, 0.9, (3, 4, 6) if per_cell else 3))

        @jax.jit
        def values(x0, target, w, temperature):
            return SmoothSelect(target, hole, 0.1, temperature)(x0, w)

        check_grads(values, (x0, target, w, jnp.float64(0.2)), order=1, modes=("rev",), eps=1e-6, rtol=1e-5, atol=1e-6)


def test_smooth_selection_has_a_finite_slope_where_it_has_nothing_to_choose():
    """At w of 0 and 1, in a frame that is all hole, and where all differences are alike."""
    x0, target, hole = random_case(6)
    hole, x0 = hole.at[:, 1].set(True), x0.at[:, 2].set(target[:, 2])

    def total(x0, target, w):
        return jnp.sin(SmoothSelect(target, hole)(x0, w)).sum()

    for w in (0.0, 0.5, 1.0):
        for slope in jax.grad(total, (0, 1, 2))(x0, target, jnp.full(3, w)):
            assert jnp.isfinite(slope).all()


@pytest.mark.parametrize("rule", [Select, Blend])
def test_the_same_trust_in_every_cell_is_the_frames(rule):
    x0, target, hole = random_case(4)
    w = jnp.array([0.9, 0.4, 1.0])
    cells = jnp.broadcast_to(w[:, None, None], (3, 4, 6))
    np.testing.assert_array_equal(rule(target, hole)(x0, cells), rule(target, hole)(x0, w))


def test_the_same_soft_trust_in_every_cell_takes_as_much_as_the_frames():
    """To one in a hundred: a cell's cutoff lies between those of fixed shares."""
    x0, target, hole = random_case(4, (1, 5, 16, 24, 4))
    w = jnp.array([0.98, 0.7, 0.4, 0.02, 1.0])
    cells = jnp.broadcast_to(w[:, None, None], (5, 16, 24))
    taken = (SmoothSelect(target, hole)(x0, cells) - x0) / (target - x0)
    np.testing.assert_allclose(taken.sum((0, 2, 3, 4)) / (4 * (~hole).sum((-1, -2))[0]), w, atol=0.01)


def test_cells_are_selected_by_their_own_trust():
    x0, target, hole = random_case(4, holes=0.0)
    cells = jnp.full((3, 4, 6), 0.3).at[:, 1].set(0.8)
    out = Select(target, hole)(x0, cells)
    for w, rows in ((0.3, [0, 2, 3]), (0.8, [1])):
        whole = Select(target, hole)(x0, jnp.full(3, w))
        np.testing.assert_array_equal(out[:, :, jnp.array(rows)], whole[:, :, jnp.array(rows)])
