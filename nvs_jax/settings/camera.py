"""The given view, its camera and depth, and where the camera goes. No JAX here."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from nvs_jax.settings.ranges import TINY, Between, Ranged, require

MOST_FRAMES = 2000
"""Of a video: more are neither made nor, where `path.frames` does not say how many, read."""
DepthKind = Literal["depth", "disparity"]
"""What a map holds: depth in scene units, large is far; or inverse depth of unknown scale and shift, large is near."""
DisparityRule = Literal["centred", "release"]
Principal = Literal["middle", "release"]
PathKind = Literal["orbit", "line", "ellipse", "spiral", "dolly-zoom", "figure-of-eight", "full-turn", "file"]


@dataclass(frozen=True)
class PictureSettings(Ranged, group="picture."):
    """How a photo of any size becomes one the model takes."""

    size: Annotated[tuple[int, int] | None, Between(1, 8192)] = None
    """Rows and columns; None: the photo's own shape, as large as `max_pixels` and the model allow."""
    fit: Literal["crop", "pad", "resize"] = "crop"
    """Cut what sticks out, repeat the edges around it, or stretch (nearest pixel, as the release)."""
    max_pixels: Annotated[int, Between(1, 64_000_000)] = 576 * 1024
    """Where `size` is not given: the model's own size is about the most it does well."""


@dataclass(frozen=True)
class DisparitySettings(Ranged, group="camera.disparity."):
    """How disparity, inverse depth of unknown scale and shift, becomes depth in scene units; see docs/depth.md."""

    rule: DisparityRule = "centred"
    """Scaled so that the orbit turns around what is in the middle of the picture; or the release's
    camera.disparity_scale / disparity, at most camera.far."""
    percentiles: Annotated[tuple[float, float], Between(0, 100)] = (1.0, 99.0)
    """Of centred: where the far and the near plane lie among the disparities; what is beyond is moved onto them."""
    max_ratio: Annotated[float, Between(1, 1e6, "low")] = 10.0
    """Of centred: the far plane is at most this many times as far away as the near one."""
    centre: Annotated[float, Between(1e-3, 1)] = 0.3
    """Of centred: the middle of the picture, as a share of each side. The median depth there is the distance of the
    given view from the point that the path looks at."""
    align: bool = True
    """Of centred, in a video: fit every frame's scale and shift to the others' where nothing moves."""

    def __post_init__(self):
        super().__post_init__()
        low, high = self.percentiles
        require(low < high, f"camera.disparity.percentiles must rise, not {low} {high}")


@dataclass(frozen=True)
class CameraSettings(Ranged, group="camera."):
    """The given view's camera, and depth in its units."""

    focal: Annotated[float, Between(0.01, 1000)] = 260 / 1024
    """Focal length over the picture's width."""
    fov: Annotated[float | None, Between(0.1, 179)] = None
    """Horizontal angle of view in degrees, in place of the focal length."""
    exif: bool = False
    """Take the focal length that the photo's file records."""
    keep_units: bool = False
    """Leave an estimate in metres (a Metric depth network) in metres, so that the path is in metres, too; by default it
    is scaled to the path."""
    principal: Principal = "middle"
    """Where the optical axis meets a photo or a video: its middle, or half a pixel right of and below it, as the
    release. Posed views have their own."""
    disparity: DisparitySettings = field(default_factory=DisparitySettings)
    """How a disparity map becomes scene units."""
    disparity_scale: Annotated[float, Between(TINY, 1e9)] = 10000.0
    """Of the rule release: depth at a disparity of 1."""
    far: Annotated[float, Between(TINY, 1e9)] = 500.0
    """Of the rule release: largest depth made of a disparity map."""

    @property
    def focal_over_width(self) -> float:
        """Focal length over the picture's width, whichever way it was given."""
        return self.focal if self.fov is None else 0.5 / math.tan(math.radians(self.fov) / 2)

    @property
    def focal_is_given(self) -> bool:
        """Whether somebody says it: the default does not."""
        return self.fov is not None or self.focal != CameraSettings.focal


@dataclass(frozen=True)
class PathSettings(Ranged, group="path."):
    """Where the camera goes. It looks at the origin; world +y is down in the picture.

    Moves about the given view (spiral, dolly-zoom, figure-of-eight) begin where an orbit does, at (0, 0, radius[1]).
    """

    kind: PathKind = "orbit"
    """An ellipse about the origin, level (orbit) or tilted (ellipse); a straight line; a move about the given view; all
    the way round in several videos (full-turn); or the poses of a file."""
    frames: Annotated[int | None, Between(2, MOST_FRAMES)] = None
    """Length of the video, the given view included; None: what the model was trained on."""
    radius: Annotated[tuple[float, float], Between(1e-3, 1e6)] = (60.0, 70.0)
    """Half axes of an orbit or ellipse along x and z. The second, except of a line or a file, is the distance of the
    given view from the origin."""
    step_degrees: float = 1.0
    """Of an orbit or ellipse: angle from frame to frame."""
    inverse: bool = False
    """Of an orbit or ellipse: go the other way round."""
    tilt_degrees: float = 30.0
    """Of an ellipse: how steeply it rises; 0 is an orbit, negative sinks."""
    start: Annotated[float, Between(-1e6, 1e6)] = 40.0
    """Of a line: it begins at (start, 0, 0)."""
    end: Annotated[tuple[float, float, float], Between(-1e6, 1e6)] = (30.0, 2.0, -10.0)
    """Of a line: where it ends."""
    reach: Annotated[tuple[float, float, float], Between(-1e6, 1e6)] = (8.0, 4.0, 8.0)
    """Of a spiral: how far it gets to the side, up and down, and forward; a figure-of-eight takes the first two."""
    turns: float = 2.0
    """Of a spiral: how often it goes round."""
    travel: Annotated[float, Between(-1e6, 1e6)] = 20.0
    """Of a dolly-zoom: how far forward it goes while what is at the origin keeps its size; negative goes back."""
    zoom: Annotated[float, Between(0.05, 20)] = 1.0
    """By what the focal length of the given view is multiplied in the last frame, evenly on the way; of all but a full
    turn."""
    file: Path | None = None
    """Of a file: poses, a frame each: .json, or .txt as this project, TUM, KITTI or RealEstate10K write it."""

    def __post_init__(self):
        super().__post_init__()
        require(
            (self.kind == "file") == (self.file is not None),
            "a path from a file needs both path.kind file and path.file, the file's name",
        )
        distance = self.radius[1]
        require(
            self.kind != "dolly-zoom" or self.travel < distance,
            f"a dolly-zoom must stay in front of the origin: path.travel is {self.travel}, path.radius {distance}",
        )
        require(
            self.kind != "spiral" or abs(self.reach[2]) < distance,
            f"a spiral must stay in front of the origin: path.reach is {self.reach[2]}, path.radius {distance}",
        )

    @property
    def distance(self) -> float:
        """From the given view to the origin, at which the camera looks."""
        return abs(self.start) if self.kind == "line" else self.radius[1]
