"""The lens of a frame of transforms.json, in the spellings of nerfstudio, instant-ngp and the synthetic scenes of NeRF.

A focal length is `fl_x` and `fl_y` in pixels, `camera_angle_x` and `camera_angle_y` in radians, or `x_fov` and `y_fov`
in degrees. What a frame says itself comes before what the file says for all, whatever the spelling.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import intrinsics, number
from nvs_jax.media.cameras.views import Matrix

Values = Mapping[str, Any]

_PINHOLES = ("PINHOLE", "SIMPLE_PINHOLE", "OPENCV", "SIMPLE_RADIAL", "RADIAL", "FULL_OPENCV", "PERSPECTIVE")
# Radial, tangential, thin prism, tilt and skew, and other projections, as COLMAP, OpenCV, Metashape, nerfstudio and
# instant-ngp call them.
_DISTORTION = re.compile(
    r"[bkps]_?\d+|tau_?[xy\d]*|skew|lens_params|(?!.*undistort).*distort.*|.*fish_?eye.*|ftheta.*|.*lat_?long.*"
    r"|.*equirect.*",
    re.IGNORECASE,
)
_UNDISTORTED = ("", "none", "no", "pinhole", "perspective")
_NEGLIGIBLE = 1e-6
_FOCAL = {"x": ("fl_x", "camera_angle_x", "x_fov"), "y": ("fl_y", "camera_angle_y", "y_fov")}


def check_undistorted(values: Values, where: str) -> None:
    """Raise an InputError if the lens is no pinhole, or has a distortion that is not known to be none."""
    if values.get("camera_model") is not None and values["camera_model"] not in _PINHOLES:
        raise InputError(f"{where}: the camera_model is not a pinhole; undistort the pictures first")
    for name, value in values.items():
        if _DISTORTION.fullmatch(name) and not _is_nothing(value):
            raise InputError(
                f"{where}: the lens has distortion ({name[:40]}); undistort the pictures first (COLMAP's "
                "image_undistorter)"
            )


def lens(frame: Values, shared: Values, size: tuple[int, int], where: str) -> Matrix:
    """K of a frame.

    Args:
        frame: what it says itself.
        shared: what the file says for all.
        size: (height, width).
        where: see `nvs_jax.media.cameras.files`.

    Raises:
        InputError: no focal length, or numbers that cannot be right.
    """
    height, width = size
    own = {axis: _focal(frame, axis, size, where) for axis in "xy"}
    general = {axis: _focal(shared, axis, size, where) for axis in "xy"}
    spelled_as_angle = all(frame.get(names[0]) is None for names in _FOCAL.values())
    if spelled_as_angle and (own["x"] or own["y"]):  # one angle alone: its pixels are square
        general = {}
    focal_x, focal_y = (own[axis] or general.get(axis) for axis in "xy")
    if focal_x is None and focal_y is None:
        raise InputError(f"{where}: no focal length: fl_x (pixels) is missing, and so is camera_angle_x (radians)")
    focal = (focal_x or focal_y or 0.0, focal_y or focal_x or 0.0)
    values = {**shared, **frame}
    centre = (optional(values, "cx", where, width / 2), optional(values, "cy", where, height / 2))
    return intrinsics(focal, centre, size, where, ("fl_x", "fl_y", "cx", "cy"))


def optional(values: Values, name: str, where: str, default: float) -> float:
    """A number that may be left out. Raises an InputError if it is none."""
    return default if values.get(name) is None else number(values[name], f"{where}: {name}")


def _focal(values: Values, axis: str, size: tuple[int, int], where: str) -> float | None:
    """Focal length along an axis, in pixels; None where nothing is said."""
    length, radians, degrees = _FOCAL[axis]
    side = size[1] if axis == "x" else size[0]
    if values.get(length) is not None:
        focal = number(values[length], f"{where}: {length}")
        if not focal > 0:
            raise InputError(f"{where}: {length} is {focal:g}; focal lengths must be positive and in pixels")
        return focal
    for name, unit, half_turn in ((radians, 1.0, "pi"), (degrees, math.pi / 180, "180 degrees")):
        if values.get(name) is not None:
            angle = number(values[name], f"{where}: {name}") * unit
            if not 0 < angle < math.pi:
                raise InputError(f"{where}: {name} must be between 0 and {half_turn}")
            return side / 2 / math.tan(angle / 2)
    return None


def _is_nothing(value: Any) -> bool:
    """Whether it says that there is no distortion."""
    entries = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return all(_is_zero(entry) for entry in entries)


def _is_zero(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _UNDISTORTED
    if isinstance(value, bool) or value is None:
        return not value
    return isinstance(value, int | float) and abs(value) <= _NEGLIGIBLE
