import math

import numpy as np
import pytest

from nvs_jax.media.cameras.transforms_lens import check_undistorted, lens
from tests.media.cameras.scenes import refused

SIZE = (128, 192)
WIDE, TALL = 2 * math.atan(96 / 170), 2 * math.atan(64 / 120)  # of focal lengths 170 and 120


def focal(frame: dict, shared: dict) -> list[float]:
    K = lens(frame, shared, SIZE, "f")
    np.testing.assert_array_equal(K[:2, 2], [96, 64])
    return [float(K[0, 0]), float(K[1, 1])]


@pytest.mark.parametrize(
    ("frame", "shared", "expected"),
    [
        ({}, {"fl_x": 170, "fl_y": 120}, (170, 120)),
        ({}, {"fl_x": 170}, (170, 170)),
        ({}, {"camera_angle_x": WIDE}, (170, 170)),
        ({}, {"camera_angle_y": TALL}, (120, 120)),
        ({}, {"camera_angle_x": WIDE, "camera_angle_y": TALL}, (170, 120)),
        ({}, {"x_fov": math.degrees(WIDE), "y_fov": math.degrees(TALL)}, (170, 120)),
        ({}, {"fl_x": 170, "camera_angle_x": 1, "camera_angle_y": TALL}, (170, 120)),
        ({"camera_angle_x": WIDE}, {"fl_x": 300}, (170, 170)),
        ({"camera_angle_x": WIDE}, {"fl_x": 300, "fl_y": 300}, (170, 170)),
        ({"camera_angle_x": WIDE, "camera_angle_y": TALL}, {"fl_x": 300, "fl_y": 300}, (170, 120)),
        ({"camera_angle_x": WIDE}, {"camera_angle_x": 1}, (170, 170)),
        ({"fl_x": 170}, {"camera_angle_x": 1}, (170, 170)),
        ({"fl_x": 170}, {"fl_x": 300, "fl_y": 120}, (170, 120)),
        ({"fl_x": 170, "fl_y": None}, {"fl_x": 300, "fl_y": 120}, (170, 120)),
    ],
)
def test_a_frames_own_focal_length_comes_first_in_whatever_spelling(frame, shared, expected) -> None:
    np.testing.assert_allclose(focal(frame, shared), expected)


@pytest.mark.parametrize(
    "values",
    [
        {"fl_x": 0.885, "fl_y": 0.885, "cx": 0.5, "cy": 0.5},
        {"fl_x": 0.885, "fl_y": 1.33},
        {"fl_x": 170, "fl_y": 170, "cx": 0.5, "cy": 0.5},
    ],
)
def test_intrinsics_as_shares_of_the_size_are_refused(values) -> None:
    said = refused(lens, {}, values, SIZE, "f")
    assert "are not in pixels" in said and "multiply fl_x and cx by the width, fl_y and cy by the height" in said


@pytest.mark.parametrize(
    "values",
    [
        *({name: 0.01} for name in ("k1", "k2", "k3", "k4", "k5", "k6", "k7", "p1", "p2", "s1", "b1", "skew", "tauX")),
        *({"camera_model": name} for name in ("OPENCV_FISHEYE", "EQUIRECTANGULAR", "FISHEYE", "THIN_PRISM", 3)),
        {"distortion_params": [0, 0, 1e-3]},
        {"distortion": {"radial": 0.1}},
        {"k1": "0.1"},
        {"k1": float("nan")},
        {"is_fisheye": True},
        {"ftheta_p0": 1.0},
        {"lens_params": [1]},
    ],
)
def test_distortion_that_is_not_known_to_be_none_is_refused(values) -> None:
    assert "undistort the pictures first" in refused(check_undistorted, values, "f")


def test_no_distortion_in_all_its_spellings() -> None:
    nothing = {"k1": 0, "k2": 1e-9, "k3": None, "p1": -0.0, "is_fisheye": False, "distortion_params": [0.0] * 6}
    other = {"distortion_model": "none", "undistorted": True, "rolling_shutter": [0, 0, 0, 1], "sharpness": 80, "k": 3}
    for model in ({}, {"camera_model": "OPENCV"}, {"camera_model": "PINHOLE"}, {"camera_model": None}):
        check_undistorted(nothing | other | model, "f")
