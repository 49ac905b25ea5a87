import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import Sources, between, intrinsics_matrix, look_at, orbit
from nvs_jax.geometry.trajectories import camera_centres
from nvs_jax.inputs.camera_path import camera_path
from nvs_jax.inputs.view import View
from nvs_jax.media.fitting import placement_of
from nvs_jax.settings import PathSettings, RenderSettings, TrustSettings, ViewsSettings, WarpSettings
from nvs_jax.steering.legs import leg_key, photo_plan, turn_plan, video_plan, views_plan
from tests.tiny import HEIGHT, WIDTH, scene

K = intrinsics_matrix(20.0, HEIGHT, WIDTH)
FAST = WarpSettings(splat="bilinear", max_tilt=None)


def view():
    picture, depth = scene()
    return View(picture, depth, np.asarray(K), placement_of((HEIGHT, WIDTH), HEIGHT, WIDTH, "crop"), (HEIGHT, WIDTH))


def video(path, length, settings):
    picture, depth = scene()
    n = len(path)
    plan = video_plan(np.stack([picture] * n), np.stack([depth] * n), K, path, length, settings)
    rendered = np.stack([picture] * length)
    return plan, [leg([rendered] * index) for index, leg in enumerate(plan.legs)]


def test_every_leg_of_a_video_is_measured_from_the_recording_camera():
    path = orbit(15.0, 30.0, 1.0, 9)
    plan, legs = video(path, 4, RenderSettings(warp=FAST))
    centres = np.asarray(camera_centres(path))
    away = np.linalg.norm(centres - centres[0], axis=-1)
    found = np.stack([np.asarray(legs[leg].distance)[frame] for leg, frame in plan.order])
    np.testing.assert_allclose(found, away, atol=1e-4)
    assert [float(leg.distance[0]) for leg in legs] == [0, 0, 0]  # given: rendered before


def test_a_dolly_zoom_has_a_lens_for_every_frame():
    settings = RenderSettings(path=PathSettings("dolly-zoom", frames=5, travel=35.0), warp=FAST)
    plan = photo_plan(view(), camera_path(settings.path, 5), settings)
    np.testing.assert_allclose(plan.intrinsics[:, 0, 0], 20 * np.array([1, 0.875, 0.75, 0.625, 0.5]))
    np.testing.assert_allclose(plan.intrinsics[:, :, 2], jnp.stack([K[:, 2]] * 5))


def test_a_zoom_has_a_lens_for_every_frame_of_any_path():
    settings = RenderSettings(path=PathSettings(frames=5, zoom=16.0), warp=FAST)
    plan = photo_plan(view(), camera_path(settings.path, 5), settings)
    np.testing.assert_allclose(plan.intrinsics[:, 0, 0], 20 * np.array([1, 2, 4, 8, 16]), rtol=1e-6)
    with pytest.raises(InputError, match="give a zoom as many"):
        photo_plan(view(), camera_path(settings.path, 5)[:4], settings)


def test_a_video_along_a_dolly_zoom_is_zoomed_in_every_leg():
    settings = RenderSettings(path=PathSettings("dolly-zoom", frames=5, travel=4.0, radius=(8.0, 8.0)), warp=FAST)
    plan, legs = video(camera_path(settings.path, 5), 3, settings)
    np.testing.assert_allclose(plan.intrinsics[:, 0, 0], 20 * (1 - np.arange(5) / 8))
    # The wall at 8 keeps its place, in the leg that begins at frame 2, too.
    picture, depth = scene()
    known = np.asarray(legs[1].warp.valid[-1]) & (depth > 7)
    border = np.zeros_like(known)
    border[1:7, 1:-1] = True  # above the square, which is nearer and grows over the wall
    wall = known & border
    assert wall.sum() > 40
    assert np.abs(np.asarray(legs[1].warp.pictures[-1]) - picture)[wall].max() < 0.02


def views(origin=0.0):
    """A world moved away, and two cameras in it that look past each other."""
    shift = jnp.eye(4).at[:3, 3].set(-origin)
    poses = jnp.stack([look_at((0.0, 0.0, 6.0), (0.0, 0.0, 0.0)), look_at((5.0, 1.0, 3.0), (0.0, 0.0, 0.0))]) @ shift
    pictures, depths = (jnp.stack([jnp.asarray(array)] * 2) for array in scene())
    return Sources(pictures, depths, jnp.stack([K, intrinsics_matrix(30.0, HEIGHT, WIDTH)]), poses)


@pytest.mark.parametrize("origin", [0.0, 10.0, 100.0])
def test_a_path_between_views_is_straight_wherever_the_origin_is(origin):
    plan = views_plan(views(origin), 5, RenderSettings(warp=FAST))
    expected = np.linspace([0, 0, 6], [5, 1, 3], 5) + origin
    np.testing.assert_allclose(camera_centres(plan.poses), expected, atol=2e-4)
    np.testing.assert_allclose(plan.intrinsics[:, 0, 0], [20, 22.5, 25, 27.5, 30])


def test_the_releases_path_between_views_moves_the_translation():
    sources = views(10.0)
    settings = RenderSettings(views=ViewsSettings("halves", straight="translation"), warp=FAST)
    plan = views_plan(sources, 5, settings)
    expected = np.linspace(sources.poses[0, :3, 3], sources.poses[1, :3, 3], 5)
    np.testing.assert_allclose(plan.poses[:, :3, 3], expected, atol=1e-4)
    np.testing.assert_array_equal(plan.poses, between(*sources.poses, 5, "translation"))
    np.testing.assert_array_equal(plan.intrinsics, jnp.stack([K] * 5))


def test_a_full_turn_refuses_distances_of_pixels_before_anything_is_made():
    settings = RenderSettings(trust=TrustSettings(distance="pixels"))
    with pytest.raises(InputError, match="full turn"):
        turn_plan(view(), (6.0, 6.0), 4, settings)


def test_warps_made_elsewhere_are_measured_along_the_path():
    path = camera_path(PathSettings("spiral", frames=4, radius=(6.0, 6.0), reach=(1.0, 1.0, 1.0)), 4)
    given = view()
    elsewhere = np.stack([given.picture] * 3), np.zeros((3, HEIGHT, WIDTH), bool)
    for measure in ("centre", "pixels"):
        settings = RenderSettings(trust=TrustSettings(distance=measure), warp=FAST)
        ours, theirs = (photo_plan(given, path, settings, e).legs[0]([]) for e in (None, elsewhere))
        np.testing.assert_array_equal(theirs.distance, ours.distance)
        np.testing.assert_array_equal(theirs.warp.pictures, elsewhere[0])


def test_no_leg_shares_its_randomness():
    keys = [leg_key(seed, leg) for seed in range(4) for leg in range(4)]
    derived = [jax.random.fold_in(key, child) for key in keys for child in range(3)]
    data = np.stack([np.asarray(jax.random.key_data(key)) for key in (*keys, *derived)])
    assert len(np.unique(data, axis=0)) == len(data)
    assert all(leg_key(seed, 0) == jax.random.key(seed) for seed in range(3))
