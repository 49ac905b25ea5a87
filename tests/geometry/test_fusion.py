from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import Warp, between, dolly_zoom, forward_warp, look_at, orbit, release_intrinsics
from nvs_jax.geometry.fusion import (
    Sources,
    fuse,
    nearest_source_order,
    pose_distance_to_nearest,
    release_distance_to_nearest,
    warp_nearest,
)
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings import WarpSettings
from tests.compilations import count_compilations
from tests.geometry.scenes import random_pose

HEIGHT, WIDTH = 72, 96
SCENES = SceneSettings()
_, K = default_view(HEIGHT, WIDTH, SCENES)
# Sources 8 degrees to either side of the target, and one far off.
SOURCES, TARGETS = orbit(4, 4, 8, 5)[np.array([0, 2, 4])], orbit(4, 4, 8, 2)[1:]
SETTINGS = WarpSettings(splat="zbuffer")  # it compiles fastest


def psnr(a, b, mask):
    return -10 * np.log10(np.mean((np.asarray(a) - np.asarray(b))[np.asarray(mask)] ** 2))


@pytest.fixture(scope="module")
def views():
    poses = jnp.concatenate([SOURCES, TARGETS])
    return render_path(random_scene(20000, SCENES), poses, K, HEIGHT, WIDTH, samples=2)


def warp_views(views, targets, target_intrinsics=K, count=2, settings=SETTINGS):
    sources = Sources(views.picture[:3], views.depth[:3], jnp.stack([K] * 3), SOURCES)
    return warp_nearest(sources, targets, target_intrinsics, count, settings)


def test_fused_has_fewer_holes_than_any_single_source_and_shows_the_truth(views):
    settings = WarpSettings()
    fused = jax.tree.map(lambda x: x[0], warp_views(views, TARGETS, settings=settings))
    single = partial(forward_warp, intrinsics=K, target_poses=TARGETS, settings=settings)
    singles = [single(views.picture[i], views.depth[i], source_pose=SOURCES[i]).hole.mean() for i in (0, 1)]
    assert fused.hole.mean() < 0.6 * min(singles)
    assert fused.pictures.dtype == jnp.float32
    assert psnr(fused.pictures, views.picture[3], fused.valid) > 25  # edges are thick at this size


def test_one_source_is_the_plain_warp_of_the_nearest(views):
    targets = between(SOURCES[1], SOURCES[2], 5)[1:4:2]  # near the second, near the third
    fused = warp_views(views, targets, count=1)
    for frame, source in ((0, 1), (1, 2)):
        plain = forward_warp(
            views.picture[source], views.depth[source], K, SOURCES[source], targets[frame][None], SETTINGS
        )
        np.testing.assert_array_equal(fused.valid[frame], plain.valid[0])
        np.testing.assert_array_equal(fused.hole[frame], plain.hole[0])
        np.testing.assert_allclose(fused.condition[frame], plain.condition[0], atol=1e-5)


def test_at_a_source_its_own_picture_is_kept(views):
    """However many others see the same: they are weighted by how near they stand."""
    warp = warp_views(views, SOURCES[1:2], count=3)
    own = forward_warp(views.picture[1], views.depth[1], K, SOURCES[1], SOURCES[1:2], SETTINGS)
    assert own.valid.mean() > 0.8
    assert psnr(warp.pictures[0], views.picture[1], own.valid[0]) > 45


def test_intrinsics_may_change_from_frame_to_frame(views):
    zoom = dolly_zoom(SOURCES[0], 4.0, 0.5, 2)
    each = warp_views(views, zoom.poses, zoom.intrinsics(K), count=1)
    last = warp_views(views, zoom.poses[1:], zoom.intrinsics(K)[1], count=1)
    np.testing.assert_array_equal(each.pictures[1], last.pictures[0])
    with pytest.raises(InputError, match="1 target intrinsics for 2 poses"):
        warp_views(views, zoom.poses, zoom.intrinsics(K)[:1])


@pytest.mark.parametrize("count", [0, 4])
def test_count_is_of_the_sources_there_are(views, count):
    with pytest.raises(InputError, match="1 to 3 of the sources"):
        warp_views(views, TARGETS, count=count)


def test_other_sources_and_poses_do_not_recompile(views):
    warp_views(views, TARGETS)
    others = between(SOURCES[1], SOURCES[2], 5)[2:3]
    with count_compilations() as count:
        warp_views(views, others).pictures.block_until_ready()
    assert count.value == 0


def layer(colour, shown, hole=None):
    """A flat picture with masks, as if warped."""
    shown = jnp.asarray(shown)
    return Warp(jnp.full((*shown.shape, 3), colour), shown, ~shown if hole is None else jnp.asarray(hole))


def fused_row(*layers, depths, weights=None):
    warps = jax.tree.map(lambda *x: jnp.stack(x), *layers)
    weights = jnp.ones(len(layers)) if weights is None else jnp.asarray(weights)
    return fuse(warps, jnp.asarray(depths), weights, WarpSettings(quantize=False, dilation=1, depth_tolerance=0.05))


def test_the_nearer_surface_wins():
    shown = [[True] * 3]
    fused = fused_row(layer(0.2, shown), layer(0.8, shown), depths=[[[5.0, 2.0, 2.0]], [[2.0, 5.0, 2.05]]])
    np.testing.assert_allclose(fused.pictures[0, :, 0], [0.8, 0.2, 0.5], atol=1e-6)
    assert fused.valid.all()


def test_a_hole_is_filled_by_whoever_sees_it():
    # An invalid depth of 0 is nearer than anything, and must not win.
    one, other = layer(0.2, [[True, False, False]]), layer(0.8, [[False, True, False]])
    fused = fused_row(one, other, depths=[[[5.0, 0.0, 0.0]], [[0.0, 5.0, 0.0]]])
    np.testing.assert_allclose(fused.pictures[0, :, 0], [0.2, 0.8, 0.0], atol=1e-6)
    assert fused.valid.tolist() == [[True, True, False]]
    assert fused.hole.tolist() == [[False, False, True]]


def test_the_rim_of_a_hole_is_asked_last():
    shown = [[True, True]]
    rim = layer(0.2, shown, hole=[[True, True]])
    fused = fused_row(rim, layer(0.8, shown, hole=[[False, True]]), depths=[[[2.0, 2.0]], [[5.0, 5.0]]])
    np.testing.assert_allclose(fused.pictures[0, :, 0], [0.8, 0.2], atol=1e-6)


def test_weights_blend_one_surface():
    shown = [[True]]
    fused = fused_row(layer(0.2, shown), layer(0.8, shown), depths=[[[2.0]], [[2.0]]], weights=[3.0, 1.0])
    np.testing.assert_allclose(fused.pictures, 0.35, atol=1e-6)


def test_a_nearer_object_seen_by_one_source_only_hides_the_wall():
    """Two sources of a wall at depth 4; one of them also sees a board at depth 2 that fills its left half."""
    intrinsics, poses = release_intrinsics(24, 32), jnp.stack([jnp.eye(4)] * 2)
    left = jnp.arange(32) < 16
    depths = jnp.stack([jnp.full((24, 32), 4.0), jnp.broadcast_to(jnp.where(left, 2.0, 4.0), (24, 32))])
    pictures = jnp.stack(
        [jnp.full((24, 32, 3), 0.2), jnp.broadcast_to(jnp.where(left, 0.8, 0.2)[:, None], (24, 32, 3))]
    )
    sources = Sources(pictures, depths, jnp.stack([intrinsics] * 2), poses)
    warp = warp_nearest(sources, poses[:1], intrinsics, 2, SETTINGS)
    columns = np.array([1, 8, 14, 18, 30])
    expected = np.round(255 * np.array([0.8, 0.8, 0.8, 0.2, 0.2])) / 255
    np.testing.assert_allclose(warp.pictures[0, 12, columns, 0], expected, atol=1e-5)


def test_is_differentiable(views):
    smooth = WarpSettings.release(quantize=False)

    def brightness(depths, poses):
        sources = Sources(views.picture[:2], depths, jnp.stack([K] * 2), SOURCES[:2])
        return warp_nearest(sources, poses, K, 2, smooth).pictures.sum()

    gradients = jax.jit(jax.grad(brightness, (0, 1)))(views.depth[:2], TARGETS)
    assert all(np.isfinite(g).all() and np.abs(g).max() > 0 for g in gradients)


def test_distances_are_between_centres():
    rng = np.random.default_rng(0)
    poses = np.stack([random_pose(rng) for _ in range(7)])
    centres = np.linalg.inv(poses)[:, :3, 3]
    expected = np.linalg.norm(centres[3:, None] - centres[None, :3], axis=-1)
    sources, targets = jnp.asarray(poses[:3], jnp.float32), jnp.asarray(poses[3:], jnp.float32)
    np.testing.assert_allclose(pose_distance_to_nearest(sources, targets), expected.min(1), rtol=1e-5)
    np.testing.assert_array_equal(nearest_source_order(sources, targets), expected.argsort(1))


def test_the_release_measures_translations():
    path = between(look_at((4, 0, 1), (0, 0, 0)), look_at((0, 0, 5), (0, 0, 0)), 25, "translation")
    distance = release_distance_to_nearest(path[0], path[-1], path)
    np.testing.assert_allclose(distance / distance.max(), [min(i, 24 - i) / 12 for i in range(25)], atol=1e-5)
