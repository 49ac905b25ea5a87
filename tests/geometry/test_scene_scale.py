"""Disparity becomes depth in scene units."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.errors import InputError
from nvs_jax.geometry.scene_scale import centred, disparity_to_scene
from nvs_jax.scenes import default_view, random_scene, render
from nvs_jax.settings import DisparitySettings

WHOLE = DisparitySettings(percentiles=(0, 100))


def scene_depth(seed=0):
    return render(random_scene(seed), *default_view(48, 64), 48, 64).depth


def middle(depth):
    return np.median(np.asarray(depth)[..., 17:31, 22:41])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 40.0])
def test_disparity_without_shift_keeps_the_scenes_shape(scale):
    depth = jnp.clip(scene_depth(), 1, 8)[None]
    found = disparity_to_scene(scale / depth, 70.0, WHOLE)
    ratio = np.asarray(found / depth)
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-5)  # float32
    np.testing.assert_allclose(middle(found), 70, rtol=0.01)  # the middle is counted in whole pixels


@given(st.floats(0.01, 100), st.floats(0, 5), st.floats(2, 50))
@settings(max_examples=20)
def test_the_far_plane_is_finite_and_order_is_kept(scale, shift, ratio):
    disparity = scale * (1 / scene_depth(1)[None] + shift)
    found = np.asarray(disparity_to_scene(disparity, 3.0, DisparitySettings(max_ratio=round(ratio, 1))))
    assert np.isfinite(found).all() and found.min() > 0
    assert found.max() / found.min() <= ratio * 1.1
    order = np.argsort(np.asarray(disparity).ravel())
    assert (np.diff(found.ravel()[order]) <= 1e-5 * found.max()).all()


def test_unknown_scale_and_shift_beyond_the_ratio_do_not_matter():
    disparity = jnp.maximum(1 / scene_depth(2)[None], 0)
    disparity = disparity - jnp.percentile(disparity, 1)  # the far plane is at 0, as estimators have it
    found = disparity_to_scene(jnp.maximum(disparity, 0), 70.0)
    np.testing.assert_allclose(disparity_to_scene(jnp.maximum(disparity, 0) * 255, 70.0), found, rtol=1e-4)


def test_stray_pixels_do_not_matter():
    disparity = 1 / jnp.clip(scene_depth(3), 1, 8)[None]
    stray = disparity.at[0, 0, :10].set(1e6)
    found, wanted = disparity_to_scene(stray, 70.0), disparity_to_scene(disparity, 70.0)
    np.testing.assert_allclose(np.asarray(found)[0, 1:], np.asarray(wanted)[0, 1:], rtol=0.05)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_flat_map_stands_at_the_distance(value):
    np.testing.assert_allclose(disparity_to_scene(jnp.full((2, 5, 6), value), 70.0), 70, rtol=1e-6)


def test_disparity_that_is_not_finite_is_unknown_and_changes_nothing_else():
    disparity = 1 / jnp.clip(scene_depth(3), 1, 8)[None]
    wanted = np.asarray(disparity_to_scene(disparity, 70.0, WHOLE))
    for value in (jnp.nan, jnp.inf):
        found = np.array(disparity_to_scene(disparity.at[0, 0, 5].set(value), 70.0, WHOLE))
        assert np.isinf(found[0, 0, 5])
        found[0, 0, 5] = wanted[0, 0, 5]
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
    assert np.isinf(disparity_to_scene(jnp.full((1, 4, 4), jnp.nan), 70.0)).all()


def test_zeros_beyond_the_percentiles_are_far_not_flat():
    """Nearly all of one disparity: what is left has its own depth, and does not make all of it one."""
    disparity = jnp.full((1, 100, 100), 5.0).at[0, 0, :50].set(0.0)
    found = np.asarray(disparity_to_scene(disparity, 70.0))
    np.testing.assert_allclose(found[0, 0, :50], 700, rtol=1e-5)
    np.testing.assert_allclose(found[0, 1:], 70, rtol=1e-5)


def test_where_the_middle_is_unknown_all_that_is_known_sets_the_scale():
    depth = jnp.full((1, 9, 9), 2.0).at[0, 2:7, 2:7].set(jnp.inf)
    found = np.asarray(centred(depth, 70.0, 0.3))
    np.testing.assert_allclose(found[np.isfinite(found)], 70)


def test_unknown_depth_stays_unknown():
    depth = jnp.array([[[1.0, jnp.inf, 2.0]] * 3])
    found = np.asarray(centred(depth, 9.0, 1.0))
    np.testing.assert_allclose(found[0, 0], [6, np.inf, 12])
    assert np.isinf(centred(jnp.full((1, 2, 2), jnp.inf), 9.0, 1.0)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"percentiles": (50, 50)}, "percentiles must rise"),
        ({"max_ratio": 1.0}, "max_ratio must be more than 1 and at most 1e\\+06, not 1.0"),
        ({"centre": 0.0}, "centre must lie between 0.001 and 1, not 0.0"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        DisparitySettings(**wrong)
