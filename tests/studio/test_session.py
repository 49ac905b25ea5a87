"""A session without a browser: what is shown follows what was chosen, and the command renders the same."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nvs_jax.cli import main, parse
from nvs_jax.errors import InputError
from nvs_jax.inputs.camera_path import camera_path
from nvs_jax.inputs.view import DepthFile, read_view
from nvs_jax.media import read_frames
from nvs_jax.media.cameras import read_poses
from nvs_jax.settings import CameraSettings, DisparitySettings
from nvs_jax.steering import photo_plan, warp_plan
from nvs_jax.studio.changes import (
    fit_radius,
    open_path,
    save_path,
    with_choice,
    with_distance,
    with_job,
    with_path,
    with_path_part,
    with_settings,
)
from nvs_jax.studio.command_line import arguments
from nvs_jax.studio.key_changes import add_key, delete_key, keys_of_path, move_key, with_follows
from nvs_jax.studio.keys import centre_of, posed
from nvs_jax.studio.warps import mostly_invented
from tests.studio.sessions import photo_session, video_session


@pytest.fixture
def photo(tmp_path):
    return photo_session(tmp_path)


def aside(session, x=0.5):
    """The given view's camera moved to its right."""
    given = np.asarray(session.track.poses[0], np.float64)
    return posed(given[:3, :3], centre_of(given) + given[0, :3] * x)


def test_what_is_seen_is_what_the_warp_of_the_job_makes(photo):
    settings = photo.settings
    view = read_view(photo.job.photo, DepthFile(photo.job.depth, "depth"), settings, 4)
    known = warp_plan(photo_plan(view, camera_path(settings.path, 5), settings))
    np.testing.assert_allclose(photo.strip.shares, known.holes.mean((1, 2)), atol=1e-6)
    kept = ~known.holes
    np.testing.assert_allclose(photo.strip.pictures[kept] / 255, known.warped[kept], atol=1 / 255)
    assert (photo.strip.pictures[~kept] == photo.strip.pictures[~kept][0]).all()
    for number in (0, 3):
        np.testing.assert_array_equal(photo.frame(number).pictures[0], photo.strip.pictures[number])


def test_a_change_makes_another_session_and_leaves_the_first(photo):
    before = photo.strip.shares
    wider = with_path(photo, step_degrees=8.0)
    assert wider.strip.shares[-1] > before[-1] > 0
    assert photo.strip.shares is before


@pytest.mark.parametrize("kind", ["ellipse", "line", "spiral", "figure-of-eight", "dolly-zoom", "full-turn"])
def test_every_kind_of_path_is_shown_and_asked_for(photo, kind):
    session = with_path(photo, kind=kind, frames=3, start=6.0, end=(5.0, 0.5, 1.0), reach=(1.0, 0.5, 1.0), travel=2.0)
    assert len(session.strip.pictures) == len(session.track.poses) == len(session.strip.shares)
    assert session.frame(1).pictures.shape == (1, 24, 32, 3)
    assert parse(arguments(session.job)) == session.job


def test_a_dolly_zoom_shows_its_lens(photo):
    session = with_path(photo, kind="dolly-zoom", travel=2.0, frames=5)
    np.testing.assert_allclose(session.track.intrinsics[-1, 0, 0] / session.track.intrinsics[0, 0, 0], 4 / 6, rtol=1e-5)


def test_frames_that_are_mostly_invented_are_named(photo):
    session = with_path(photo, step_degrees=25.0)
    assert mostly_invented(session.strip.shares)
    assert mostly_invented(session.strip.shares) == tuple(np.flatnonzero(session.strip.shares > 0.5))
    assert "holes, which the model fills" in session.about[1]
    assert "depth in scene units, 4 to 8" in session.about[0]


def test_key_frames_are_added_moved_and_deleted(photo):
    two = add_key(photo, aside(photo))
    three = add_key(two, aside(photo, 1.0))
    assert [len(session.keys) for session in (photo, two, three)] == [0, 2, 3]
    np.testing.assert_allclose(three.track.poses[-1], aside(photo, 1.0))
    moved = move_key(three, 2, aside(photo, 2.0))
    np.testing.assert_allclose(moved.track.poses[-1], aside(photo, 2.0))
    assert moved.strip.shares[-1] > three.strip.shares[-1]
    back = delete_key(delete_key(moved, 2), 1)
    assert back.keys == ()
    np.testing.assert_array_equal(back.track.poses, photo.track.poses)
    with pytest.raises(InputError, match="the given view's pose and stays"):
        move_key(three, 0, aside(photo))
    with pytest.raises(InputError, match="there is no key frame 3"):
        delete_key(three, 3)


def test_what_is_in_the_middle_stays_there(photo):
    session = with_follows(add_key(photo, aside(photo, 2.0)), True)
    poses = session.track.poses
    seen = poses[:, :3, :3] @ session.middle + poses[:, :3, 3]
    np.testing.assert_allclose(seen[:, :2], 0, atol=1e-6)
    np.testing.assert_allclose(seen[0, 2], session.distance, rtol=1e-6)
    np.testing.assert_array_equal(poses[0], photo.track.poses[0])


def test_key_frames_of_a_path_go_where_it_went(photo):
    path = with_path(photo, frames=13)
    session = keys_of_path(path, 5)
    np.testing.assert_allclose(centre_of(session.track.poses), centre_of(path.track.poses), atol=0.02)
    with pytest.raises(InputError, match="20 key frames of 13 frames"):
        keys_of_path(path, 20)


def test_a_path_is_saved_and_opened_again(photo, tmp_path):
    session = add_key(photo, aside(photo))
    with pytest.raises(InputError, match="save it first"):
        _ = session.ready
    saved = save_path(session)
    assert saved.saved == tmp_path / "out.path.json"
    np.testing.assert_array_equal(read_poses(saved.path_file), session.track.poses)
    again = open_path(photo, saved.path_file)
    np.testing.assert_allclose(again.track.poses, session.track.poses, atol=1e-6)
    assert parse(arguments(saved.ready)) == again.job
    assert saved.command == again.command
    assert add_key(saved, aside(photo, 2.0)).saved is None
    assert with_path(again, kind="orbit").settings.path.file is None


def test_the_command_warps_what_was_shown(photo, tmp_path):
    session = save_path(add_key(with_path(photo, frames=4), aside(photo)))
    job = with_job(session, preview=True).ready
    # The published sizes are multiples of 64; what is shown is as small as the test's own.
    session = replace(session, job=replace(job, preview=True))
    line = arguments(job)
    assert parse(line) == job
    picture = replace(job.settings.picture, size=(64, 64))
    job = replace(job, settings=replace(job.settings, picture=picture))
    main(arguments(job))
    assert len(read_frames(tmp_path / "out" / "warps")) == 4
    np.testing.assert_allclose(read_poses(tmp_path / "out" / "poses.json"), session.track.poses, atol=1e-6)


def test_the_radius_is_fitted_to_what_is_in_the_middle(photo):
    session = fit_radius(with_path(photo, radius=(30.0, 60.0), reach=(10.0, 5.0, 20.0)))
    assert session.settings.path.radius == (2.0, 4.0)
    assert session.settings.path.reach == pytest.approx((2 / 3, 1 / 3, 4 / 3), rel=1e-3)
    assert fit_radius(session) is session


def test_a_path_is_scaled_as_a_whole_and_poses_are_not(photo, tmp_path):
    session = with_distance(with_path_part(photo, "reach", 1, 3.0), 3.0)
    assert session.settings.path.radius == (3.0, 3.0)
    assert session.settings.path.reach == (4.0, 1.5, 4.0)
    for fixed in (add_key(photo, aside(photo)), open_path(photo, save_path(photo).path_file)):
        with pytest.raises(InputError, match="poses are as they are"):
            with_distance(fixed, 3.0)


def test_the_scale_is_told(photo, tmp_path):
    assert photo.scale == (
        "scale: that of the given depth; the middle of the picture is 4 away, the path is about a point 6 away"
    )
    (tmp_path / "other").mkdir()
    assert "relative, as disparity has no unit" in photo_session(tmp_path / "other", "disparity").scale


@pytest.mark.parametrize("name", ["transforms.json", "notes.txt", "list.json"])
def test_no_file_but_a_path_of_ours_is_replaced(photo, tmp_path, name):
    held = {
        "transforms.json": json.dumps({"frames": [{"transform_matrix": np.eye(4).tolist()}]}),
        "notes.txt": "buy milk\n",
        "list.json": json.dumps([np.eye(4).tolist()]),
    }[name]
    (tmp_path / name).write_text(held)
    with pytest.raises(InputError, match="holds no path of ours"):
        save_path(photo, tmp_path / name)
    assert (tmp_path / name).read_text() == held
    for suffix in (".json", ".txt"):
        file = tmp_path / f"path{suffix}"
        save_path(photo, file)
        save_path(with_path(photo, frames=3), file)
        assert len(read_poses(file)) == 3


def test_disparity_follows_its_planes_and_the_radius(tmp_path):
    session = photo_session(tmp_path, "disparity")
    assert session.distance == pytest.approx(6.0)
    assert with_path(session, radius=(12.0, 12.0)).distance == pytest.approx(12.0)
    disparity = DisparitySettings(max_ratio=1.5)
    nearer = with_settings(session, camera=CameraSettings(focal=0.6, disparity=disparity))
    ratio = [one.scene.view.depth.max() / one.scene.view.depth.min() for one in (session, nearer)]
    assert ratio == pytest.approx([2.0, 1.5], rel=1e-3)


def test_another_lens_is_seen_at_once(photo):
    session = with_settings(photo, camera=CameraSettings(fov=60.0))
    assert session.scene.view.intrinsics[0, 0] != photo.scene.view.intrinsics[0, 0]
    assert (session.frame(4).pictures != photo.frame(4).pictures).any()


@pytest.mark.parametrize("kind", ["depth", "disparity"])
def test_a_video_shows_the_frame_of_the_moment(tmp_path, kind):
    session = video_session(tmp_path, kind)
    still, clip = with_path(session, step_degrees=0.0), session.scene.clip
    assert clip is not None
    seen = (still.strip.pictures != still.strip.pictures[1, 7, 11]).any(-1)  # the rest is in the colour of holes
    np.testing.assert_array_equal(still.strip.pictures[seen], clip[0][seen])
    assert still.strip.shares.max() < 0.2  # the edges of the square
    np.testing.assert_array_equal(still.frame(6).pictures[0], still.strip.pictures[6])
    nearer = with_path(session, radius=(3.0, 3.0))
    assert nearer.distance == pytest.approx(3.0 if kind == "disparity" else 4.0)
    assert with_path(session, frames=4).frames == 4


def test_a_radius_does_not_change_under_key_frames(photo):
    with pytest.raises(InputError, match="key frames have the units"):
        with_path(add_key(photo, aside(photo)), radius=(3.0, 3.0))


def test_a_camera_of_ones_own_sees_the_photo(photo):
    given = photo.track.poses[0]
    there = photo.seen_from(given).pictures[0] / 255
    assert (np.abs(there - photo.scene.view.picture).max(-1) < 1 / 255).mean() > 0.9  # all but the square's edges
    assert photo.seen_from(given).shares[0] < photo.seen_from(aside(photo, 3.0)).shares[0]


def test_bad_settings_are_told_in_a_line(photo):
    with pytest.raises(InputError, match="must stay in front"):
        with_path(photo, kind="dolly-zoom", travel=7.0)
    with pytest.raises(InputError, match="passes through the origin"):
        _ = with_path(photo, kind="line", start=6.0, end=(-6.0, 0.0, 0.0), frames=3).track


def test_another_preset_or_method_brings_its_own_settings_and_keeps_the_path(photo, tmp_path):
    session = with_choice(photo, preset="reference", method="post", steps=7, out=str(tmp_path / "other"), seed=2)
    assert session.settings.warp == photo.settings.warp
    assert session.settings.path == photo.settings.path
    assert (session.settings.guidance.method, session.settings.schedule.steps) == ("post", 7)
    assert session.settings.conditioning.holes == "black"
    job = parse(arguments(session.job))
    assert job == session.job
    assert with_choice(photo, steps=photo.settings.schedule.steps).job.steps is None
    with pytest.raises(InputError, match="nowhere"):
        with_choice(photo, weights="nowhere/at all")


def test_a_zoom_turns_the_lens_of_every_path(photo):
    for session in (photo, save_path(add_key(photo, aside(photo)))):
        zoomed = with_path(session, zoom=2.0)
        turned = zoomed.track.intrinsics[:, 0, 0] / session.track.intrinsics[:, 0, 0]
        np.testing.assert_allclose(turned, 2 ** np.linspace(0, 1, 5), rtol=1e-6)
        np.testing.assert_array_equal(zoomed.track.poses, session.track.poses)
        assert "--path.zoom 2.0" in zoomed.command


def test_all_frames_come_in_pieces_and_go_on_where_they_were_left(photo):
    session, again = with_path(photo, frames=19, step_degrees=1.0), with_path(photo, frames=19, step_degrees=1.0)
    pieces = session.strip_in_pieces()
    assert next(pieces) == 8
    del pieces
    assert list(session.strip_in_pieces()) == [16, 19]
    np.testing.assert_array_equal(session.strip.pictures, again.strip.pictures)
    np.testing.assert_array_equal(session.strip.shares, again.strip.shares)
    assert list(session.strip_in_pieces()) == [19]
