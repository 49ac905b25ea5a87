from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.errors import InputError
from nvs_jax.geometry import forward_warp, orbit, release_intrinsics, warp_flow, warp_one
from nvs_jax.settings import WarpSettings
from tests.compilations import count_compilations
from tests.geometry import numpy_splat
from tests.geometry.scenes import Scene, random_pose, random_scene

SMOOTH = WarpSettings.release(quantize=False)
OTHERS = [WarpSettings(splat=splat) for splat in ("bilinear", "zbuffer", "surface", "soft")]
_warp_one = jax.jit(warp_one, static_argnames="settings")


def arrays(scene):
    return Scene(*map(jnp.asarray, scene))


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(12, 16), (9, 7)]),
    st.sampled_from([0.0, 0.05, 0.5, 3.0]),
    st.sampled_from([0.1, 1.0, 10.0]),
    st.sampled_from([SMOOTH, WarpSettings.release(10.0, None, dilation=3, quantize=False)]),
)
def test_agrees_with_numpy(seed, size, angle, distance, how):
    scene = random_scene(seed, *size, angle=angle, distance=distance)
    position, depth = numpy_splat.positions(*scene[1:])
    expected, weight = numpy_splat.splat(scene.picture.reshape(-1, 3), position, depth, size, how.depth_clip)
    valid = (weight > 0) & (weight <= (how.max_weight or np.inf))
    with jax.enable_x64(True):
        warp = _warp_one(*arrays(scene), settings=how)
        condition = warp.condition
        flow = warp_flow(*arrays(scene)[1:4], jnp.asarray(scene.target_pose)[None])[0]
    grid = np.stack(np.meshgrid(np.arange(size[1]), np.arange(size[0])), -1)
    np.testing.assert_allclose(flow, position.reshape(*size, 2) - grid, rtol=1e-8, atol=1e-7)
    np.testing.assert_allclose(warp.pictures, expected, atol=1e-6)
    np.testing.assert_array_equal(warp.valid, valid)
    np.testing.assert_array_equal(warp.hole, numpy_splat.dilate(~valid, how.dilation))
    np.testing.assert_allclose(condition, np.where(warp.hole[..., None], 0, expected), atol=1e-6)


@pytest.mark.parametrize("max_weight", [None, 1e-20])
@pytest.mark.parametrize("sharpness", [80.0, 100.0, 700.0])
def test_any_sharpness_agrees_with_numpy_in_float64(sharpness, max_weight):
    """In float32 weights of a sharpness beyond 80 are 0: they made everything a hole."""
    scene = random_scene(3, 12, 16, near=2.0, far=300.0)
    position, depth = numpy_splat.positions(*scene[1:])
    colours = scene.picture.reshape(-1, 3)
    expected, weight = numpy_splat.splat(colours, position, depth, (12, 16), sharpness=sharpness)
    valid = (weight > 0) & (weight <= (max_weight or np.inf))
    how = WarpSettings.release(sharpness=sharpness, max_weight=max_weight, quantize=False)
    with jax.enable_x64(True):
        warp = _warp_one(*arrays(scene), settings=how)
        np.testing.assert_allclose(warp.pictures, expected, atol=1e-6)
        np.testing.assert_array_equal(warp.valid, valid)
    assert 0.05 < valid.mean() < 1
    found = _warp_one(*arrays(scene.to(np.float32)), settings=how)
    np.testing.assert_array_equal(found.valid, valid)


@pytest.mark.full
def test_a_great_sharpness_takes_the_nearest_and_keeps_gradients_finite():
    scene = arrays(random_scene(3, 12, 16, angle=0.05, near=2.0, far=300.0).to(np.float32))
    how = WarpSettings(splat="bilinear", max_tilt=None, sharpness=500.0, quantize=False)

    def brightness(depth):
        return warp_one(scene.picture, depth, *scene[2:], how).pictures.sum()

    assert np.isfinite(jax.grad(brightness)(scene.depth)).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_same_pose_gives_the_same_picture(seed):
    """Depths within a factor of 1.05: rounding lets a much nearer neighbour bleed by a pixel, as the release's does."""
    scene = arrays(random_scene(seed, near=10.0, far=10.5).to(np.float32))
    warp = _warp_one(*scene[:4], scene.source_pose, settings=SMOOTH)
    np.testing.assert_allclose(warp.pictures, scene.picture, atol=1e-3)
    assert warp.valid.all()
    assert not warp.hole.any()


def test_pictures_are_rounded_to_eight_bits():
    scene = arrays(random_scene(0).to(np.float32))
    rounded = _warp_one(*scene, settings=WarpSettings.release()).pictures * 255
    smooth = _warp_one(*scene, settings=SMOOTH).pictures * 255
    np.testing.assert_allclose(rounded, np.round(rounded), atol=1e-4)
    assert 0.4 < np.abs(rounded - smooth).max() < 0.501


def test_is_linear_in_colour():
    one, other = (arrays(random_scene(seed).to(np.float32)) for seed in (0, 1))
    blended = _warp_one(0.3 * one.picture + 0.7 * other.picture, *one[1:], settings=SMOOTH).pictures
    apart = [_warp_one(picture, *one[1:], settings=SMOOTH).pictures for picture in (one.picture, other.picture)]
    np.testing.assert_allclose(blended, 0.3 * apart[0] + 0.7 * apart[1], atol=1e-5)


def _weighted_sum(direction, *scene, settings=SMOOTH):
    return jnp.vdot(direction, warp_one(*scene, settings=settings).pictures)


_value = jax.jit(_weighted_sum, static_argnames="settings")
_gradient = jax.jit(jax.grad(_weighted_sum, (1, 2, 3, 4, 5)), static_argnames="settings")


@pytest.mark.parametrize("splat", ["reference", "zbuffer", "surface", "soft"])
@pytest.mark.parametrize("seed", range(4))
def test_gradient_agrees_with_finite_differences(seed, splat):
    """In every argument. Depths within a factor of 1.2: at larger ones the curvature is too strong for differences."""
    how = SMOOTH if splat == "reference" else WarpSettings(splat=splat, depth_tolerance=0.5, quantize=False)
    with jax.enable_x64(True):
        scene = arrays(random_scene(seed, near=10.0, far=12.0))
        rng = np.random.default_rng(seed)
        direction = jnp.asarray(rng.normal(size=scene.picture.shape))
        gradient = _gradient(direction, *scene, settings=how)
        for index, (name, at) in enumerate(scene._asdict().items()):
            step = jnp.asarray(1e-6 * rng.normal(size=at.shape))
            ahead, behind = (
                _value(direction, *scene._replace(**{name: at + side * step}), settings=how) for side in (1, -1)
            )
            assert float(jnp.vdot(gradient[index], step)) == pytest.approx(float(ahead - behind) / 2, rel=1e-5)


def test_float32_gradient_is_that_of_float64_over_a_wide_range_of_depths():
    """Weights down to e^-50: their squares are not float32 numbers."""
    scene = random_scene(3, near=0.5, far=4000.0, distance=0.01)
    direction = np.random.default_rng(0).normal(size=scene.picture.shape)
    narrow = _gradient(jnp.asarray(direction, jnp.float32), *arrays(scene.to(np.float32)))
    with jax.enable_x64(True):
        wide = _gradient(jnp.asarray(direction), *arrays(scene))
    for one, other in zip(map(np.asarray, narrow), map(np.asarray, wide), strict=True):
        assert np.linalg.norm(one - other) < 1e-2 * np.linalg.norm(other)


@pytest.mark.parametrize("how", [SMOOTH, WarpSettings(quantize=False), WarpSettings(splat="soft")])
def test_points_at_and_behind_the_camera_leave_values_and_gradients_finite(how):
    scene = random_scene(0, near=1.0, far=3.0).to(np.float32)
    depth = scene.depth.copy()
    depth[:3] = [[-2.0], [0.0], [1.0]]
    depth[4, :4] = [np.inf, np.nan, 1e30, -1e30]
    source = np.eye(4, dtype=np.float32)
    targets = np.stack([source, source, source])
    targets[1:, 2, 3] = [-1.0, -10.0]  # forward: to the plane of depth 1, and past everything
    for target in targets:
        case = arrays(scene._replace(depth=depth, source_pose=source, target_pose=target))
        warp = _warp_one(*case, settings=how)
        assert np.isfinite(warp.pictures).all()
        for gradient in _gradient(jnp.ones_like(case.picture), *case, settings=how):
            assert np.isfinite(gradient).all()


def test_little_of_what_is_behind_the_camera_is_valid():
    """A point behind weighs 1, more than `max_weight` but for those that a pixel has only a corner of."""
    scene = random_scene(0, near=1.0, far=3.0).to(np.float32)
    past = np.eye(4, dtype=np.float32)
    past[2, 3] = -10.0
    case = arrays(scene._replace(source_pose=np.eye(4, dtype=np.float32), target_pose=past))
    mirrored = _warp_one(*case, settings=WarpSettings.release(max_weight=None)).valid
    valid = _warp_one(*case, settings=WarpSettings.release()).valid
    assert 0 < valid.sum() < 0.5 * mirrored.sum()


@pytest.mark.parametrize("how", OTHERS)
def test_nothing_behind_the_camera_is_valid(how):
    scene = random_scene(0, near=1.0, far=3.0).to(np.float32)
    past = np.eye(4, dtype=np.float32)
    past[2, 3] = -10.0
    case = arrays(scene._replace(source_pose=np.eye(4, dtype=np.float32), target_pose=past))
    assert not _warp_one(*case, settings=how).valid.any()


@pytest.mark.parametrize("how", OTHERS[1:])
def test_other_splats_keep_the_picture_at_its_own_pose_but_for_torn_pixels(how):
    scene = arrays(random_scene(1, near=10.0, far=10.5).to(np.float32))
    pole = scene._replace(depth=scene.depth.at[:, 7].set(1.0))
    warp = _warp_one(*pole[:4], pole.source_pose, settings=replace(how, quantize=False))
    torn = np.zeros((12, 16), bool)
    torn[:, 6:9] = True
    np.testing.assert_array_equal(warp.valid, ~torn)
    np.testing.assert_allclose(warp.condition[~torn], pole.picture[~torn], atol=2e-3)


def test_pixels_without_finite_depth_are_left_out():
    scene = random_scene(0, near=5.0, far=6.0).to(np.float32)
    gap = np.zeros(scene.depth.shape, bool)
    gap[4:8, 5:9] = True
    for missing in (np.nan, np.inf):
        depth = np.where(gap, np.float32(missing), scene.depth)
        warp = _warp_one(*arrays(scene._replace(depth=depth, target_pose=scene.source_pose)), settings=SMOOTH)
        assert not warp.valid[5:7, 6:8].any()
        assert warp.valid[~gap].all()


@pytest.mark.parametrize("how", [SMOOTH, WarpSettings(quantize=False)])
def test_frames_are_warped_one_by_one_all_at_once_and_as_a_video_alike(how):
    """Depths within a factor of 1.2: larger ones amplify a weight's rounding, and each program rounds its own way."""
    scene = arrays(random_scene(0, near=10.0, far=12.0).to(np.float32))
    rng = np.random.default_rng(0)
    poses = jnp.stack([jnp.asarray(random_pose(rng, 0.05, 0.3), jnp.float32) @ scene.source_pose for _ in range(3)])
    together = forward_warp(*scene[:4], poses, how)
    assert together.pictures.shape == (3, 12, 16, 3)
    assert together.valid.shape == together.hole.shape == (3, 12, 16)

    single = [_warp_one(*scene[:4], pose, settings=how) for pose in poses]
    batch = jax.jit(jax.vmap(lambda pose: warp_one(*scene[:4], pose, how)))(poses)
    video = forward_warp(jnp.stack([scene.picture] * 3), jnp.stack([scene.depth] * 3), *scene[2:4], poses, how)
    views = forward_warp(*scene[:3], jnp.stack([scene.source_pose] * 3), poses, how)
    for other in (jax.tree.map(lambda *frames: jnp.stack(frames), *single), batch, video, views):
        np.testing.assert_allclose(together.pictures, other.pictures, atol=2e-5)
        np.testing.assert_array_equal(together.valid, other.valid)
        np.testing.assert_array_equal(together.hole, other.hole)


def test_each_frame_of_a_video_has_its_own_picture_and_pose():
    scenes = [arrays(random_scene(seed).to(np.float32)) for seed in range(3)]
    picture, depth, _, source, target = (jnp.stack(list(of_all)) for of_all in zip(*scenes, strict=True))
    intrinsics = scenes[0].intrinsics
    video = forward_warp(picture, depth, intrinsics, source, target, SMOOTH)
    flow = warp_flow(depth, intrinsics, source, target)
    for index, scene in enumerate(scenes):
        alone = _warp_one(*scene._replace(intrinsics=intrinsics), settings=SMOOTH)
        np.testing.assert_allclose(video.pictures[index], alone.pictures, atol=2e-5)
        apart = warp_flow(scene.depth, intrinsics, scene.source_pose, scene.target_pose[None])[0]
        np.testing.assert_allclose(flow[index], apart, rtol=1e-4, atol=1e-4)


def test_the_target_may_have_another_camera():
    scene = arrays(random_scene(0, far=2.0).to(np.float32))
    shifted = scene.intrinsics.at[0, 2].add(3.0).at[1, 2].add(-2.0)
    flow = warp_flow(*scene[1:4], scene.source_pose[None], shifted)
    np.testing.assert_allclose(flow, np.broadcast_to([3.0, -2.0], flow.shape), atol=1e-4)
    warp = forward_warp(*scene[:4], scene.source_pose[None], SMOOTH, shifted)
    np.testing.assert_allclose(warp.pictures[0, :10, 3:], scene.picture[2:, :13], atol=1e-3)


def test_a_camera_that_moves_right_moves_the_picture_left():
    depth = jnp.full((8, 10), 5.0)
    pose = jnp.eye(4).at[0, 3].set(-1.0)
    flow = warp_flow(depth, release_intrinsics(8, 10), jnp.eye(4), pose[None])[0]
    np.testing.assert_allclose(flow[..., 0], -float(release_intrinsics(8, 10)[0, 0]) / 5, rtol=1e-5)
    np.testing.assert_allclose(flow[..., 1], 0, atol=1e-5)


def test_new_pictures_and_poses_do_not_recompile():
    scenes = [[np.asarray(array, np.float32) for array in random_scene(seed)] for seed in range(2)]
    paths = [np.asarray(orbit(radius, 10, 3, 4)) for radius in (7, 9)]
    jax.block_until_ready(forward_warp(*scenes[0][:4], paths[0]))
    with count_compilations() as count:
        jax.block_until_ready(forward_warp(*scenes[1][:4], paths[1]))
    assert count.value == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": jnp.ones((12, 15))}, "the picture is 12x16, its depth 12x15"),
        ({"depth": jnp.ones((3, 12, 16))}, "the picture is 12x16, its depth 3x12x16"),
        ({"source_pose": jnp.ones((2, 4, 4))}, "source_pose has 2 frames for 3 target poses"),
        ({"picture": jnp.ones((1, 1, 12, 16, 3))}, "picture has 5 axes"),
    ],
)
def test_says_what_does_not_fit(change, message):
    scene = arrays(random_scene(0).to(np.float32))._replace(target_pose=jnp.stack([jnp.eye(4)] * 3), **change)
    with pytest.raises(InputError, match=message):
        forward_warp(*scene)
