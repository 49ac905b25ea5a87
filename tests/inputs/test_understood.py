"""What is said of inputs and of holes before a render: the right words for what people hand in."""

from dataclasses import replace

import numpy as np
import pytest

from nvs_jax.inputs.understood import Ahead, Origin, depth_range, holes_line, inputs_line
from nvs_jax.inputs.view import View
from nvs_jax.media import placement_of
from nvs_jax.settings import CameraSettings, DepthKind, DisparitySettings, PathSettings, RenderSettings

SIZE = (20, 40)
PHOTO = Origin("single")


def view_of(
    depth: np.ndarray | float = 70.0, kind: DepthKind = "depth", estimated: bool = False, focal: float = 260 / 1024
) -> View:
    depth = np.broadcast_to(np.asarray(depth, np.float32), SIZE).copy()
    K = np.array([[focal * 40, 0, 19.5], [0, focal * 40, 9.5], [0, 0, 1]], np.float32)
    return View(np.zeros((*SIZE, 3), np.float32), depth, K, placement_of(SIZE, *SIZE, "crop"), SIZE, kind, estimated)


def metres():
    """A floor from two to four metres."""
    return view_of((2 + 2 * (1 - np.arange(20) / 19))[:, None])


def said(view, origin=PHOTO, **camera):
    return inputs_line(view, RenderSettings(camera=CameraSettings(**camera)), origin)


def holes(view, shares, origin=PHOTO, **settings):
    shares = np.asarray(shares)
    return holes_line(Ahead(shares, tuple(range(1, len(shares) + 1))), view, RenderSettings(**settings), origin)


@pytest.mark.parametrize(
    ("view", "mode", "words"),
    [
        (metres(), "single", "taken as: depth in scene units, 2 to 4, 3 in the middle; "),
        (view_of(kind="disparity"), "single", "disparity of no unit, scaled to 70 to 70, 70 in the middle"),
        (view_of(kind="disparity", estimated=True), "single", "estimated disparity of no unit, scaled to 70 to 70"),
        (view_of(kind="depth", estimated=True), "single", "estimated depth of metres, scaled to 70 to 70"),
        (
            view_of(kind="disparity", estimated=True),
            "views",
            "disparity of no unit, fitted to the scene's points to 70",
        ),
        (view_of(np.where(np.arange(40) < 10, np.inf, 5.0)), "single", "5 to 5, 5 in the middle, 25.0% unknown"),
    ],
)
def test_kind_unit_and_range_of_depth(view, mode, words):
    assert words in said(view, Origin(mode))


def test_a_single_known_pixel_is_said():
    depth = np.full(SIZE, np.inf, np.float32)
    depth[3, 3] = 60
    view = view_of(depth)
    assert "60 to 60, 60 in the middle, 99.9% unknown" in said(view)
    assert "depth is known of 0.1% of the picture only" in holes(view, [0.99, 1.0])
    depth = np.full((50, 50), np.inf, np.float32)
    depth[3, 3] = 60
    large = replace(view, picture=np.zeros((50, 50, 3), np.float32), depth=depth)
    assert "unknown but for 1 of 2500 pixels" in said(large)


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        ({}, "focal length 0.254 of the width (126 degrees), the default"),
        ({"fov": 90.0}, "0.500 of the width (90 degrees), by --camera.fov"),
        ({"focal": 0.5}, "0.500 of the width (90 degrees), by --camera.focal"),
        ({"exif": True, "focal": 0.5}, "0.500 of the width (90 degrees), as the photo's file records"),
    ],
)
def test_the_focal_length_and_where_it_came_from(camera, words):
    assert words in said(view_of(focal=CameraSettings(**camera).focal_over_width), **camera)


def test_a_focal_length_is_of_the_whole_photo_however_it_is_cut():
    view = replace(view_of(), fit=placement_of((20, 80), *SIZE, "crop"), photo_size=(20, 80))
    assert "focal length 0.127 of the width" in said(view)


def test_a_recorded_focal_length_that_is_not_used_is_said():
    words = "the photo's file records 0.670, which --camera.exif takes"
    assert words in said(view_of(), Origin("single", 0.67))
    assert words in said(view_of(focal=0.5), Origin("single", 0.67), focal=0.5)
    assert "records" not in said(view_of(focal=0.67), Origin("single", 0.67), focal=0.67)
    assert "the scene's" in said(view_of(), Origin("views"))


def test_frames_a_second_of_a_video():
    assert said(view_of(), Origin("video", fps=29.97)).endswith("; 29.97 frames a second")
    assert said(view_of(), Origin("video")).endswith("; 7 frames a second (--conditioning.fps)")
    assert "second" not in said(view_of())


def test_holes_of_the_last_frame_and_of_a_worse_one():
    assert holes(view_of(), [0.1, 0.2, 0.42]) == "holes, which the model fills: 42% of the last frame"
    assert holes(view_of(), [0.1, 0.5, 0.2]).endswith("20% of the last frame, at most 50% of a frame, number 2")
    assert holes(view_of(), [0.1, 0.5, 0.0], Origin("views")).endswith("fills: at most 50% of a frame, number 2")


def test_metres_on_a_path_of_other_units_say_what_to_set():
    line = holes(metres(), [0.3, 0.52])
    assert "52% of the last frame; the middle of the picture is 3 away, the path is about a point 70 away" in line
    assert "set --path.radius 2.57 3, or give depth" in line
    assert "path.radius" not in holes(metres(), [0.3, 0.4], path=PathSettings(radius=(3.0, 3.5)))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (PathSettings(kind="line"), "set --path.start 3000 --path.end 2250 150 -750,"),
        (PathSettings(kind="spiral"), "set --path.radius 2570 3000 --path.reach 343 171 343,"),
        (PathSettings(kind="dolly-zoom"), "set --path.radius 2570 3000 --path.travel 857,"),
        (PathSettings(kind="ellipse"), "set --path.radius 2570 3000,"),
    ],
)
def test_millimetres_scale_every_length_of_a_path(path, words):
    """Where hardly anything moves there are no holes either."""
    assert words in holes(view_of(3000.0), [0.0, 0.0], path=path)


def test_a_line_in_metres_keeps_its_length():
    """One metre to the left of something 38.6 metres away, not 13."""
    kept = {"camera": CameraSettings(keep_units=True), "path": PathSettings("line", start=3.0, end=(3.0, 0.0, -1.0))}
    estimated = view_of(38.6, estimated=True)
    assert holes(estimated, [0.0, 0.0], **kept).endswith("set --path.start 38.6 --path.end 38.6 0 -1")
    assert "--path.end 38.6 0 -12.9, or give depth in" in holes(view_of(38.6), [0.0, 0.0], path=kept["path"])


def test_many_holes_say_what_to_set():
    assert "set smaller --path.step-degrees, or --camera.fov" in holes(view_of(), [0.2, 0.7])
    assert "--camera" not in holes(view_of(), [0.2, 0.7], camera=CameraSettings(fov=60.0))
    words = "set a larger --path.frames, or --camera.fov, if the photo's camera is known"
    assert holes(view_of(), [0.2, 0.7], path=PathSettings(kind="full-turn")).endswith(words)
    assert "views that stand nearer to each other (--cameras)" in holes(view_of(3.0), [0.7, 0.0], Origin("views"))


def test_the_middle_is_that_which_the_path_turns_around():
    depth = np.full(SIZE, 9.0)
    depth[7:13, 14:26] = 4.0
    assert depth_range(view_of(depth), DisparitySettings().centre) == (4, 9, 4, 1)
    assert depth_range(view_of(np.inf), 0.3).known == 0
