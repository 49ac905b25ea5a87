"""Scale and shift of disparity are found again, whatever moves."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.geometry import orbit, splat_depth
from nvs_jax.geometry.depth_alignment import align_to_depth, align_to_points, align_video, fit_line
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render
from nvs_jax.settings import WarpSettings

HEIGHT, WIDTH, FRAMES = 72, 96, 12
WITHIN = 0.01  # the share that recovered depth may be off


def error(found, true):
    return np.abs(np.asarray(found) / np.asarray(true) - 1)


@given(st.floats(0.05, 20), st.floats(-3, 3), st.floats(0, 0.3), st.integers(0, 99))
@settings(max_examples=30)
def test_a_line_is_found_among_outliers(scale, shift, share, seed):
    draw = np.random.default_rng(seed)
    x = draw.uniform(0, 1, 400).astype(np.float32)
    y = (scale * x + shift).astype(np.float32)
    off = draw.uniform(size=400) < share
    y = np.where(off, y + draw.normal(0, 5 * scale, 400), y).astype(np.float32)
    a, b = fit_line(jnp.asarray(x), jnp.asarray(y), jnp.ones(400, bool))
    np.testing.assert_allclose(a, scale, rtol=WITHIN)
    np.testing.assert_allclose(b, shift, atol=WITHIN * (scale + abs(shift)))


def test_points_that_do_not_count_are_not_looked_at():
    x = jnp.arange(10.0)
    seen = x < 4
    a, b = fit_line(x, jnp.where(seen, 3 * x + 2, jnp.nan_to_num(x * -50)), seen)
    np.testing.assert_allclose([a, b], [3, 2], rtol=1e-4)
    assert fit_line(x, x, jnp.zeros(10, bool)) == (1, 0)


def test_a_flat_map_is_only_shifted():
    a, b = fit_line(jnp.full(9, 2.0), jnp.full(9, 5.0), jnp.ones(9, bool))
    assert (float(a), float(b)) == (1, 3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_video_with_moving_things_gets_one_scale_and_shift(seed):
    scene = random_scene(seed, SceneSettings(moving=2))
    pose, intrinsics = default_view(HEIGHT, WIDTH)
    times = np.linspace(0, 1, FRAMES)
    poses, cameras = jnp.stack([pose] * FRAMES), jnp.stack([intrinsics] * FRAMES)
    true = 1 / np.stack(
        [np.asarray(render(scene, poses[i], cameras[i], HEIGHT, WIDTH, time=t).depth) for i, t in enumerate(times)]
    )
    assert (np.abs(true[-1] / true[0] - 1) > 0.02).mean() > 0.005  # something does move
    draw = np.random.default_rng(seed)
    scale, shift = draw.uniform(0.3, 3, (FRAMES, 1, 1)), draw.uniform(0, 0.5, (FRAMES, 1, 1))
    given_maps = (scale * true + shift).astype(np.float32)
    found = np.asarray(align_video(jnp.asarray(given_maps)))
    found = (found - shift[0]) / scale[0]  # what no video tells: the first frame's own numbers
    assert error(found, true).max() < WITHIN


def views(count=2, seed=3):
    poses = orbit(4.0, 4.0, 8.0, count)
    _, intrinsics = default_view(HEIGHT, WIDTH)
    scene = random_scene(seed)
    depths = [render(scene, pose, intrinsics, HEIGHT, WIDTH).depth for pose in poses]
    return poses, intrinsics, depths


def test_a_view_is_fitted_to_another_through_the_warp():
    poses, intrinsics, (first, second) = views()
    carried, valid = splat_depth(first, intrinsics, poses[0], poses[1], WarpSettings())
    found = align_to_depth(7 / second + 2, carried, valid)
    assert np.asarray(valid).mean() > 0.5
    assert error(found, second).max() < WITHIN


def test_sparse_points_give_a_view_its_units():
    draw = np.random.default_rng(0)
    _, _, (depth, _) = views()
    xy = draw.uniform(-5, [WIDTH + 5, HEIGHT + 5], (500, 2)).astype(np.float32)
    column, row = np.clip(np.rint(xy).astype(int), 0, [WIDTH - 1, HEIGHT - 1]).T
    z = np.asarray(depth)[row, column]
    wrong = draw.uniform(size=500) < 0.2
    z = np.where(wrong, z * draw.uniform(0.3, 3, 500), z).astype(np.float32)
    z[:9] = -1  # behind the camera
    found = align_to_points(0.2 / depth + 0.7, jnp.asarray(xy), jnp.asarray(z), jnp.ones(500, bool))
    near = np.asarray(depth) < 0.99 * np.asarray(found).max()
    assert error(found, depth)[near].max() < WITHIN


def test_what_lies_beyond_all_points_is_not_infinitely_far():
    disparity = jnp.linspace(0.0, 1.0, 100).reshape(1, 100)
    xy = jnp.stack([jnp.arange(50.0, 100.0), jnp.zeros(50)], -1)
    z = 1 / (2 * disparity[0, 50:] - 0.5)
    found = np.asarray(align_to_points(disparity, xy, z, jnp.ones(50, bool)))
    assert found.max() <= 4.01 * float(z.max())
    np.testing.assert_allclose(found[0, 50:], z, rtol=1e-3)
