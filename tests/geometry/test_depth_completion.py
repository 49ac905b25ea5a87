import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.geometry import dolly_zoom, orbit
from nvs_jax.geometry.depth_completion import complete_depth, splat_depth
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings import WarpSettings

HEIGHT, WIDTH = 72, 96
SETTINGS = WarpSettings(splat="zbuffer")


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(8, 8), (13, 21), (1, 5)]), st.floats(0.05, 1))
def test_fills_every_hole_with_depths_there_are_and_keeps_the_others(seed, size, share):
    rng = np.random.default_rng(seed)
    depth, valid = rng.uniform(1, 9, size).astype(np.float32), rng.random(size) < share
    valid[0, 0] = True
    filled = np.asarray(complete_depth(jnp.asarray(np.where(valid, depth, np.nan)), jnp.asarray(valid)))
    np.testing.assert_array_equal(filled[valid], depth[valid])
    assert filled.min() >= depth[valid].min() * (1 - 1e-5)
    assert filled.max() <= depth[valid].max() * (1 + 1e-5)


def test_a_map_without_any_depth_becomes_one():
    np.testing.assert_array_equal(complete_depth(jnp.zeros((5, 9)), jnp.zeros((5, 9), bool)), 1)


@pytest.mark.parametrize("hole", [slice(30, 34), slice(30, 45), slice(17, 31)])
def test_holes_beside_an_edge_become_background(hole):
    depth = jnp.where(jnp.arange(64) < hole.start, 2.0, 6.0) * jnp.ones((48, 1))
    valid = jnp.ones((48, 64), bool).at[:, hole].set(False)
    np.testing.assert_allclose(complete_depth(depth, valid)[:, hole], 6, rtol=1e-5)


def test_a_slanted_plane_goes_on_through_a_hole():
    disparity = 0.2 + 0.002 * jnp.arange(48.0)[:, None] + 0.001 * jnp.arange(64.0)
    valid = jnp.ones((48, 64), bool).at[20:26, 20:40].set(False).at[5:9, 50:53].set(False)
    np.testing.assert_allclose(complete_depth(1 / disparity, valid), 1 / disparity, rtol=1e-5)


def test_a_hole_at_the_border_takes_what_is_beside_it():
    valid = jnp.ones((48, 64), bool).at[:, 60:].set(False).at[:3].set(False)
    np.testing.assert_allclose(complete_depth(jnp.full((48, 64), 3.0), valid), 3, rtol=1e-6)


def test_splatted_depth_is_that_of_the_other_camera():
    """Along the view axis a wall comes nearer by as much as the camera moves."""
    start = orbit(4, 4, 1, 1)[0]
    target = dolly_zoom(start, 4.0, 1.0, 2).poses[-1]
    _, intrinsics = default_view(HEIGHT, WIDTH)
    depth, valid = splat_depth(jnp.full((HEIGHT, WIDTH), 4.0), intrinsics, start, target, SETTINGS)
    inner = np.s_[4:-4, 4:-4]
    assert valid[inner].mean() > 0.99
    np.testing.assert_allclose(depth[valid], 3, rtol=1e-4)
    np.testing.assert_array_equal(depth[~valid], 0)


def test_unknown_depth_leaves_a_hole():
    depth = jnp.full((HEIGHT, WIDTH), 4.0).at[20:40, 30:50].set(jnp.inf)
    _, intrinsics = default_view(HEIGHT, WIDTH)
    pose = orbit(4, 4, 1, 1)[0]
    carried, valid = splat_depth(depth, intrinsics, pose, pose, SETTINGS)
    assert not valid[22:38, 32:48].any()
    assert np.isfinite(carried).all()


def test_a_scenes_depth_carried_and_completed_is_near_the_truth():
    scenes, path = SceneSettings(), orbit(4, 4, 12, 2)
    _, intrinsics = default_view(HEIGHT, WIDTH, scenes)
    views = render_path(random_scene(20001, scenes), path, intrinsics, HEIGHT, WIDTH)
    carried, valid = map(np.asarray, splat_depth(views.depth[0], intrinsics, path[0], path[1], SETTINGS))

    def error(depth, where):
        return np.abs(np.log(np.asarray(depth)[where] / np.asarray(views.depth[1])[where]))

    filled = complete_depth(jnp.asarray(carried), jnp.asarray(valid))
    assert np.median(error(carried, valid)) < 0.005
    assert 0.05 < 1 - valid.mean() < 0.5
    assert np.median(error(filled, ~valid)) < 0.15


def test_gradients_are_finite():
    depth = jnp.linspace(1.0, 5.0, 48).reshape(6, 8)
    valid = (jnp.arange(48) % 3 > 0).reshape(6, 8)
    gradient = jax.grad(lambda depth: complete_depth(depth, valid).sum())(depth)
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[~valid], 0)
