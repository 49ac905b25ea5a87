"""What a render understood of its inputs, and how much of the video it will invent, in words."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from nvs_jax.inputs.view import View
from nvs_jax.settings import CameraSettings, Mode, PathSettings, RenderSettings

MANY = 0.6
"""Of a frame's pixels: with more holes than this a video is mostly invented, and what to set is said."""
FAR_OFF = 3.0
"""Times nearer or farther than what is in the middle of the picture: a path about such a point is of other units."""

_LENGTH = {
    "orbit": "smaller --path.step-degrees",
    "ellipse": "smaller --path.step-degrees",
    "spiral": "smaller --path.reach",
    "figure-of-eight": "smaller --path.reach",
    "dolly-zoom": "smaller --path.travel",
    "line": "a --path.end nearer to --path.start",
    "full-turn": "a larger --path.frames",
    "file": "poses that move less; check that they have the units of the depth and are world-to-camera",
}


@dataclass(frozen=True)
class Origin:
    """What a view itself does not tell.

    Attributes:
        mode: the kind of input.
        recorded_focal: over the width, as the photo's file has it; None where it has none.
        fps: frames a second of a clip; None where it is not known.
    """

    mode: Mode
    recorded_focal: float | None = None
    fps: float | None = None


class Range(NamedTuple):
    """Depth in scene units: smallest, largest, and the median in the middle (in all of it, if none is known there)."""

    near: float
    far: float
    middle: float
    known: float
    """Share of the pixels that have a depth."""


class Ahead(NamedTuple):
    """Holes of frames of a video."""

    shares: Float[np.ndarray, "f"]
    """Of each frame's pixels."""
    frames: tuple[int, ...]
    """Which frames of the video they are."""


def inputs_line(view: View, settings: RenderSettings, origin: Origin) -> str:
    """What depth and focal length are taken to be, and where they come from; of a video also its frame rate."""
    parts = [_depth_words(view, settings, origin), _focal_words(view, settings.camera, origin)]
    if origin.mode == "video":
        fps = settings.conditioning.fps if origin.fps is None else origin.fps
        parts.append(f"{fps:.4g} frames a second" + (" (--conditioning.fps)" if origin.fps is None else ""))
    return "taken as: " + "; ".join(parts)


def holes_line(ahead: Ahead, view: View, settings: RenderSettings, origin: Origin) -> str:
    """How much of the video the model will have to invent, and what to set where that is most of it.

    Of several views, between which holes are largest, the frame that has most is told; else the last one, and the one
    that has most if that has clearly more.
    """
    worst = int(ahead.shares.argmax())
    last, most = float(ahead.shares[-1]), float(ahead.shares[worst])
    words = [f"{last:.0%} of the last frame"]
    if origin.mode == "views" or settings.path.kind == "full-turn":
        words = []
    if not words or most > last + 0.05:
        words.append(f"at most {most:.0%} of a frame, number {ahead.frames[worst]}")
    advice = _advice(view, settings, origin, most)
    return f"holes, which the model fills: {', '.join(words)}" + (f"; {advice}" if advice else "")


def depth_range(view: View, centre: float) -> Range:
    """Depth of a view in a few numbers; `centre` is how much of each side is the middle."""
    known = np.isfinite(view.depth)
    rows, columns = (_middle(size, centre) for size in view.depth.shape)
    middle = view.depth[rows, columns][known[rows, columns]]
    values = view.depth[known]
    if not values.size:
        return Range(math.inf, math.inf, math.inf, 0.0)
    median = float(np.median(middle if middle.size else values))
    return Range(float(values.min()), float(values.max()), median, float(known.mean()))


def _depth_words(view: View, settings: RenderSettings, origin: Origin) -> str:
    near, far, middle, known = depth_range(view, settings.camera.disparity.centre)
    unit = "metres" if view.depth_kind == "depth" else "no unit"
    how = "fitted to the scene's points" if origin.mode == "views" else "scaled"
    if view.estimated and settings.camera.keep_units and origin.mode != "views":
        words = f"estimated {view.depth_kind}, kept in {unit},"
    elif view.estimated:
        words = f"estimated {view.depth_kind} of {unit}, {how} to"
    else:
        words = f"disparity of {unit}, {how} to" if view.depth_kind == "disparity" else "depth in scene units,"
    words += f" {_number(near)} to {_number(far)}, {_number(middle)} in the middle"
    if 0.001 < known < 0.9995:
        words += f", {1 - known:.1%} unknown"
    elif known <= 0.001:
        words += f", unknown but for {round(known * view.depth.size)} of {view.depth.size} pixels"
    if view.depth_size is not None and view.depth_size != view.photo_size:
        words += ", resampled from maps of {}x{} (height x width)".format(*view.depth_size)
    return words


def _focal_words(view: View, camera: CameraSettings, origin: Origin) -> str:
    focal = float(view.intrinsics[0, 0]) / (view.fit.scale_x * view.photo_size[1])
    degrees = math.degrees(2 * math.atan(0.5 / focal))
    if origin.mode == "views":
        source = "the scene's"
    elif camera.exif:
        source = "as the photo's file records"
    elif camera.fov is not None:
        source = "by --camera.fov"
    elif camera.focal_is_given:
        source = "by --camera.focal"
    elif view.focal_of is not None:
        source = f"as {view.focal_of.name} says"
    else:
        source = "the default"
    words = f"focal length {focal:.3f} of the width ({degrees:.0f} degrees), {source}"
    recorded = origin.recorded_focal
    if recorded is not None and abs(recorded / focal - 1) > 0.01:
        words += f" (the photo's file records {recorded:.3f}, which --camera.exif takes)"
    return words


def _advice(view: View, settings: RenderSettings, origin: Origin, share: float) -> str | None:
    path = settings.path
    about, depth = path.distance, depth_range(view, settings.camera.disparity.centre)
    metric = view.estimated and settings.camera.keep_units
    moves = origin.mode != "views" and path.kind != "file"
    if moves and not 1 / FAR_OFF <= depth.middle / about <= FAR_OFF:
        return (
            f"the middle of the picture is {_number(depth.middle)} away, the path is about a point {_number(about)} "
            f"away: set {_suited(path, depth.middle, metric)}" + ", or give depth in the path's units" * (not metric)
        )
    if share < MANY:
        return None
    if depth.known < 0.5:
        return f"depth is known of {depth.known:.1%} of the picture only: give more of it"
    if origin.mode == "views":
        return "choose views that stand nearer to each other (--cameras)"
    default = not (settings.camera.focal_is_given or settings.camera.exif) and view.focal_of is None
    return f"set {_LENGTH[path.kind]}" + ", or --camera.fov, if the photo's camera is known" * default


def _suited(path: PathSettings, middle: float, metric: bool) -> str:
    """The path's options for what is in the middle: all lengths multiplied; but a line that was given in metres stays
    as long as it is, and begins elsewhere."""
    by = middle / path.distance
    if metric and path.kind == "line" and path.end != PathSettings.end:
        start = math.copysign(middle, path.start)
        end = (path.end[0] + start - path.start, *path.end[1:])
        return f"--path.start {_number(start)} --path.end {' '.join(map(_number, end))}"

    def option(name: str, *lengths: float) -> str:
        return f"--path.{name} " + " ".join(_number(length * by) for length in lengths)

    if path.kind == "line":
        return f"{option('start', path.start)} {option('end', *path.end)}"
    radius = option("radius", *path.radius)
    if path.kind in ("spiral", "figure-of-eight"):
        return f"{radius} {option('reach', *path.reach)}"
    return f"{radius} {option('travel', path.travel)}" if path.kind == "dolly-zoom" else radius


def _number(x: float) -> str:
    """Three digits of a length, as 2570 rather than 2.57e+03."""
    return f"{float(f'{x:.3g}'):g}"


def _middle(size: int, share: float) -> slice:
    length = max(1, round(size * share))
    return slice((size - length) // 2, (size - length) // 2 + length)
