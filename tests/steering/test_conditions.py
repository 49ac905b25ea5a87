"""What is known of frames: distances, lenses, holes, and their gradients."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import Sources, dolly_zoom, intrinsics_matrix, look_at, orbit
from nvs_jax.settings import RenderSettings, TrustSettings, ViewsSettings, WarpSettings
from nvs_jax.steering.conditions import (
    from_photo,
    from_pictures,
    from_video,
    from_views,
    photo_distances,
    pose_distances,
    views_intrinsics,
)
from tests.tiny import FRAMES, HEIGHT, WIDTH, scene

K = intrinsics_matrix(20.0, HEIGHT, WIDTH)
PATH = orbit(6.0, 6.0, 4.0, FRAMES)
SETTINGS = RenderSettings(warp=WarpSettings(splat="bilinear", max_tilt=None))  # compiles faster than the default
PIXELS = replace(SETTINGS, trust=TrustSettings(distance="pixels"))
CAMERA = look_at((0.0, 0.0, 6.0), (0.0, 0.0, 0.0))


def video(numbers=None, path=PATH, settings=SETTINGS, **options):
    picture, depth = scene()
    photos, depths = np.stack([picture] * len(path)), np.stack([depth] * len(path))
    return from_video(photos, depths, K, CAMERA, path, settings, numbers=numbers, **options)


def test_distances_of_a_later_part_of_a_video_are_from_the_recording_camera():
    """Frame 1 of the second leg of a video of 49 along an orbit of 15 and 30 is 10.3 away, and not 0.4."""
    whole = orbit(15.0, 30.0, 1.0, 49)
    moved = np.asarray(pose_distances(whole[0], whole, "centre"))
    t = np.deg2rad(np.arange(49))
    expected = np.hypot(15 * np.sin(t), 30 - 30 * np.cos(t))
    np.testing.assert_allclose(moved, expected, atol=1e-4)
    frames = np.array([24, 25, 26, 27])
    photos, depths = np.ones((4, HEIGHT, WIDTH, 3), np.float32), np.full((4, HEIGHT, WIDTH), 30, np.float32)
    found = from_video(photos, depths, K, whole[0], whole[frames], SETTINGS, numbers=frames).distance
    np.testing.assert_allclose(found, [0, *expected[25:28]], atol=1e-4)
    assert float(found[1]) == pytest.approx(6.93, abs=0.05)


def test_a_path_that_rests_away_from_the_camera_gives_no_frame_but_the_first():
    resting = jnp.stack([PATH[-1]] * FRAMES)
    distance = np.asarray(video(path=resting).distance)
    assert distance[0] == 0
    assert (distance[1:] > 1).all()


def test_distances_by_index_count_the_frames_of_the_whole_video():
    settings = replace(SETTINGS, trust=TrustSettings(distance="index"))
    np.testing.assert_array_equal(video(settings=settings).distance, np.arange(FRAMES))
    later = video(np.array([24, 25, 26, 26]), settings=settings)
    np.testing.assert_array_equal(later.distance, [0, 25, 26, 26])


@pytest.mark.parametrize("of_a_video", [False, True])
def test_what_a_dolly_zoom_keeps_in_its_place_has_not_moved(of_a_video):
    moves = dolly_zoom(CAMERA, 6.0, 3.0, FRAMES)
    wall = np.full((HEIGHT, WIDTH), 6.0, np.float32)
    picture, _ = scene()
    if of_a_video:
        several = np.stack([picture] * FRAMES), np.stack([wall] * FRAMES)
        known = from_video(*several, K, CAMERA, moves.poses, PIXELS, zoom=moves.focal)
    else:
        known = from_photo(picture, wall, K, moves.poses, PIXELS, moves.focal)
    np.testing.assert_allclose(known.distance, 0, atol=1e-3)
    inside = np.asarray(known.warp.valid)
    difference = np.where(inside[..., None], np.asarray(known.warp.pictures) - picture, 0)
    assert inside.mean() > 0.8
    assert np.abs(difference).max() < 0.02
    without = photo_distances(wall, K, moves.poses, PIXELS)
    assert float(without.max()) > 5


def test_a_zoom_by_one_changes_nothing():
    picture, depth = scene()
    plain = from_photo(picture, depth, K, PATH, SETTINGS)
    zoomed = from_photo(picture, depth, K, PATH, SETTINGS, jnp.ones(FRAMES))
    for ours, theirs in zip(jax.tree.leaves(zoomed), jax.tree.leaves(plain), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def two_lenses():
    """A wall seen from one place through two lenses, the second half as long again."""
    lenses = jnp.stack([K, intrinsics_matrix(30.0, HEIGHT, WIDTH)])
    x = (np.arange(WIDTH) - float(K[0, 2])) / np.array([20.0, 30.0])[:, None]
    pictures = np.broadcast_to(0.5 + 0.3 * np.sin(3 * x)[:, None, :, None], (2, HEIGHT, WIDTH, 3))
    depths = jnp.full((2, HEIGHT, WIDTH), 6.0)
    return Sources(jnp.asarray(pictures, jnp.float32), depths, lenses, jnp.stack([CAMERA, CAMERA]))


def test_from_one_lens_to_another_the_frames_lens_changes_and_the_pictures_with_it():
    sources = two_lenses()
    lenses = views_intrinsics(sources, 5, SETTINGS)
    np.testing.assert_allclose(lenses[:, 0, 0], [20, 22.5, 25, 27.5, 30])
    np.testing.assert_array_equal(lenses[-1], sources.intrinsics[1])
    path = jnp.stack([CAMERA.at[0, 3].add(shift) for shift in (0.0, 0.01, 0.02, 0.01, 0.0)])
    known = from_views(sources, path, SETTINGS)
    x = (np.arange(WIDTH) - float(K[0, 2])) / np.asarray(lenses[1:, 0, :1])
    expected = 0.5 + 0.3 * np.sin(3 * x)
    for picture, valid, row in zip(known.warp.pictures, known.warp.valid, expected, strict=True):
        off = np.abs(np.asarray(picture)[..., 0] - row)[np.asarray(valid)]
        assert np.median(off) < 0.01
    np.testing.assert_array_equal(known.warp.pictures[-1], sources.pictures[1])


def test_the_releases_halves_keep_the_first_lens():
    settings = replace(SETTINGS, views=ViewsSettings("halves"))
    np.testing.assert_array_equal(views_intrinsics(two_lenses(), 5, settings), jnp.stack([K] * 5))


def test_a_warp_with_soft_edges_is_refused_for_several_views():
    soft = replace(SETTINGS, warp=WarpSettings(splat="soft"))
    with pytest.raises(InputError, match="photo or a video"):
        from_views(two_lenses(), PATH, soft)


def test_holes_made_elsewhere_are_taken_as_they_are():
    picture, _ = scene()
    holes = np.zeros((FRAMES - 1, HEIGHT, WIDTH), bool)
    holes[:, 10, 12] = True
    known = from_pictures(picture, np.stack([picture] * (FRAMES - 1)), holes)
    np.testing.assert_array_equal(known.warp.hole, holes)
    np.testing.assert_array_equal(known.distance, np.arange(FRAMES))
    distance = pose_distances(PATH[0], PATH, "centre")
    known = from_pictures(picture, np.stack([picture] * (FRAMES - 1)), holes, distance)
    np.testing.assert_array_equal(known.distance, distance)


def test_conditions_compile_and_have_gradients():
    """The distance of the first frame is 0, where a norm has none; depth that is traced is not looked at."""
    picture, depth = scene()
    settings = replace(SETTINGS, warp=replace(SETTINGS.warp, quantize=False))

    def loss(depth, radius):
        known = from_photo(picture, depth, K, orbit(radius, radius, 4.0, FRAMES), settings)
        return known.warp.pictures.sum() + known.distance.sum()

    by_depth, by_radius = jax.jit(jax.grad(loss, (0, 1)))(jnp.asarray(depth), 6.0)
    assert np.isfinite(by_depth).all()
    assert float(jnp.abs(by_depth).max()) > 0
    assert np.isfinite(by_radius)
    with pytest.raises(InputError, match="positive everywhere"):
        from_photo(picture, -depth, K, PATH, settings)


@pytest.mark.full
def test_conditions_of_a_video_and_of_views_compile_and_have_gradients():
    """In the path, which is where the camera stands at its first pose, and at a given view's at its ends."""
    sources, settings = two_lenses(), replace(SETTINGS, warp=replace(SETTINGS.warp, quantize=False))

    def of_video(radius):
        return video(path=orbit(radius, 6.0, 4.0, FRAMES), settings=settings)

    def of_views(radius):
        path = orbit(radius, 6.0, 4.0, FRAMES)
        return from_views(sources._replace(poses=path[jnp.array([0, -1])]), path, settings)

    for conditions in (of_video, of_views):
        slope = jax.jit(jax.grad(lambda r, of=conditions: of(r).warp.pictures.sum() + of(r).distance.sum()))(6.0)
        assert np.isfinite(slope) and slope != 0


@pytest.mark.full
def test_distances_have_the_gradient_of_the_path():
    with jax.enable_x64(True):
        moved = jax.grad(lambda radius: pose_distances(*_path(radius), "centre").sum())(jnp.float64(6.0))
        np.testing.assert_allclose(moved, (2 * np.sin(np.deg2rad(np.arange(FRAMES) * 2.0))).sum(), rtol=1e-9)


def _path(radius):
    path = orbit(radius, radius, 4.0, FRAMES)
    return path[0], path
