"""Every setting of a render, as frozen dataclasses; YAML files and the command's options load into them.

No JAX here: the command line is built from these, and `--help` should not wait for it. Defaults are those of the
preset `fast`; `configs/presets/` holds the named ones.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nvs_jax.errors import InputError
from nvs_jax.settings.limits import check_numbers

Mode = Literal["single", "video", "views"]
"""One photo, a monocular video, or several posed views."""


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


def _check_interval(name: str, interval: tuple[float, float] | None) -> None:
    _require(interval is None or interval[0] <= interval[1], f"{name} must not end before it begins")


@dataclass(frozen=True)
class WarpSettings:
    """The warp and its masks. The defaults are what docs/warp.md measures to be best; `reference` is the release."""

    splat: Literal["reference", "bilinear", "zbuffer", "surface"] = "surface"
    """The release's splat; the same with sub-pixel-correct taps; only what is nearest; or small planes, looked up."""
    max_tilt: float | None = 83.0
    """Where depth changes faster than a surface this many degrees from facing the camera, there is no surface."""
    drop_behind: bool = True
    """Leave out points behind the target camera. Off, as in the release, they appear mirrored; surface: always on."""
    depth_clip: float = 5000.0
    """Of reference and bilinear: depth in the target camera is limited to [0, this], in scene units."""
    max_weight: float | None = None
    """Of reference and bilinear: a pixel of more summed weight is not valid (the release, for one view: 0.6)."""
    sharpness: float = 50.0
    """Of reference and bilinear: how strongly the nearer surface wins where several fall on one pixel."""
    depth_tolerance: float = 0.05
    """Of zbuffer and surface: depths within this share of each other are one surface."""
    min_weight: float = 0.3
    """Of zbuffer: a pixel with less of the nearest surface on it is not valid; 1 is a pixel fully covered."""
    dilation: int = 1
    """Side of the square by which holes grow, in pixels; odd. The release: 5."""
    quantize: bool = True
    """Round warped pictures to 8 bits. Off, the warp is differentiable."""

    def __post_init__(self):
        _require(self.depth_clip > 0, f"warp.depth_clip must be positive, not {self.depth_clip}")
        _require(self.dilation > 0 and self.dilation % 2 == 1, f"warp.dilation must be odd, not {self.dilation}")
        _require(
            self.max_tilt is None or 0 < self.max_tilt < 90,
            f"warp.max_tilt must be between 0 and 90 degrees, not {self.max_tilt}",
        )
        _require(0 < self.depth_tolerance < 1, f"warp.depth_tolerance must be in (0, 1), not {self.depth_tolerance}")

    @classmethod
    def release(cls, depth_clip: float = 5000.0, max_weight: float | None = 0.6, **others: Any) -> "WarpSettings":
        """The release's warp of one view; its video has a depth_clip of 10000, its two views 1000 and no max_weight."""
        fixed: dict[str, Any] = {"splat": "reference", "max_tilt": None, "drop_behind": False, "dilation": 5}
        return cls(**(fixed | {"depth_clip": depth_clip, "max_weight": max_weight} | others))


@dataclass(frozen=True)
class ScheduleSettings:
    """Noise levels."""

    steps: int = 25
    """Solver steps; of a list, as many as it has levels."""
    sigma_max: float = 700.0
    """Largest noise level."""
    sigma_min: float = 0.002
    """Smallest noise level before 0."""
    rho: float = 7.0
    """Of karras: how strongly steps gather at small noise."""
    kind: Literal["karras", "exponential", "list"] = "karras"
    """Levels after Karras et al.; each the same fraction of the one before; or a list of your own."""
    levels: tuple[float, ...] = ()
    """Of a list: falling noise levels; a final 0 is added."""

    def __post_init__(self):
        if self.kind == "list":
            falling = all(high > low for high, low in zip(self.levels, self.levels[1:], strict=False))
            _require(
                bool(self.levels) and falling and self.levels[-1] > 0,
                f"a list of sigmas must be positive and fall, not {' '.join(map(str, self.levels)) or 'empty'}",
            )
            object.__setattr__(self, "steps", len(self.levels))
        _require(self.steps >= 1, f"steps must be at least 1, not {self.steps}")
        _require(
            0 < self.sigma_min <= self.sigma_max,
            f"sigmas must satisfy 0 < sigma_min <= sigma_max, not {self.sigma_min} and {self.sigma_max}",
        )


@dataclass(frozen=True)
class SolverSettings:
    """How a step is made; docs/guidance.md compares them."""

    kind: Literal["euler", "heun", "churn", "dpmpp2m", "adams3"] = "euler"
    """First order, the release's; second order with two evaluations a step; the same with noise added at every step
    (Karras et al., Algorithm 2); or of second and third order with one evaluation a step."""
    churn: float = 40.0
    """Of churn: S_churn, how much noise is added in all."""
    churn_interval: tuple[float, float] = (0.05, 50.0)
    """Of churn: S_tmin and S_tmax, the noise levels between which it is added."""
    churn_noise: float = 1.003
    """Of churn: S_noise, the standard deviation of what is added."""


@dataclass(frozen=True)
class ConditioningSettings:
    """What the video model is told besides the views."""

    fps: int = 7
    """Frames a second of the video the model is asked for (it is told one less)."""
    motion_bucket: int = 127
    """How much motion the model expects, 0 to 255."""
    noise_aug: float = 0.02
    """Standard deviation of the noise added to the picture before it is encoded."""
    guidance_scale: tuple[float, float] = (1.0, 3.0)
    """Classifier-free guidance at the first and at the last frame; 1 at both evaluates one branch instead of two."""
    guidance_interval: tuple[float, float] | None = None
    """Noise levels between which classifier-free guidance is on; elsewhere one branch is evaluated. None: all."""
    mixed_context: bool = False
    """The release's mixed-up cross-attention context in the temporal layers."""
    target_scale: float | None = None
    """The warped views' latents are divided by this; None: by the inverse of the VAE's own scale. The release: 5.6."""
    holes: Literal["filled", "black"] = "filled"
    """What holes of the warped views hold when these are encoded: their surroundings, or black as in the release. The
    VAE normalises over whole pictures, so that black changes what it says of everything else."""

    def __post_init__(self):
        _require(self.fps >= 1, f"fps must be at least 1, not {self.fps}")
        _require(self.noise_aug >= 0, f"noise_aug must not be negative, as {self.noise_aug} is")
        _require(self.target_scale is None or self.target_scale > 0, "target_scale must be positive")
        _check_interval("conditioning.guidance_interval", self.guidance_interval)


@dataclass(frozen=True)
class TrustSettings:
    """How much a frame trusts its warped view: w = lambda / (1 + lambda)."""

    rule: Literal["closed-form", "search"] = "closed-form"
    """The paper's (18), or the release's grid search over v1, v2, v3."""
    distance: Literal["centre", "index", "pixels"] = "centre"
    """|dp| of a frame: how far its camera's centre is from the given view's, or, as the release, its index; or of every
    pixel, how far it has moved (a photo or a video)."""
    v1: float = 0.001
    """Of the closed form: weight of |log lambda| in (17)."""
    v2: float = 1000.0
    """Of the closed form: the network's error grows as v2 sigma."""
    v3: float = 10.0
    """Of the closed form: the warp's error grows as v3 |dp|."""

    def __post_init__(self):
        _require(
            self.rule != "search" or self.distance != "pixels", "the search takes a distance a frame, not of pixels"
        )
        _require(self.v1 > 0, f"v1 must be positive, not {self.v1}")
        _require(self.v2 >= 0 and self.v3 >= 0, f"v2 and v3 must not be negative, as {self.v2} or {self.v3} is")


@dataclass(frozen=True)
class ViewsSettings:
    """Which of several given views a frame is warped from."""

    sources: Literal["nearest", "halves"] = "nearest"
    """The nearest few, the nearer surface winning, while the lens turns from one view's into the next one's; or, as the
    release, the first view for the first half of the frames and the second for the rest, with the first one's lens."""
    count: int = 2
    """Of nearest: how many."""
    straight: Literal["centre", "translation"] = "centre"
    """What moves in a straight line from view to view: the camera's centre; or, as the release, the world-to-camera
    translation, which makes the path depend on where the world's origin is."""

    def __post_init__(self):
        _require(self.count >= 1, f"views.count must be at least 1, not {self.count}")


@dataclass(frozen=True)
class GuidanceSettings:
    """How the warped views steer the sampler."""

    method: Literal["dgs", "post", "none"] = "dgs"
    """Directly guided sampling (13), posterior sampling (14), or the video model alone."""
    estimate: Literal["select", "smooth", "blend"] = "select"
    """The release's sorted selection, the same with soft edges, or the paper's blend (12)."""
    counting: Literal["free", "release"] = "free"
    """Of select: w is the share of the values outside holes that is taken; or as the release counts, with holes among
    the sorted values, and with everything taken where a frame without holes is to give nothing."""
    clamp: float | None = None
    """Of select and smooth: w is raised to at least this. None: the release's for the mode and method, 0 to 0.6."""
    temperature: float = 0.05
    """Of smooth: how soft its edges are, in units of the latents."""
    interval: tuple[float, float] | None = None
    """Noise levels between which the warped views steer; None: all."""
    hole_strength: float = 0.0
    """How far estimates are drawn, in holes, towards the surroundings that fill them: 0 as the paper, 1 all the way."""
    hole_sigma: float = 0.3
    """Smallest noise level at which it is; below it holes are the model's alone."""
    learning_rate: float = 0.02
    """Of post: size of a correction relative to sqrt(sigma)."""
    gradient: Literal["skip", "full"] = "skip"
    """Of post: as the release, without a backward pass, or through the network as (14) says."""
    tiles: bool = False
    """Of post: correct in the release's four overlapping tiles."""
    half: bool = False
    """Of post: round corrections to float16, as the release always does."""
    free_last: bool = False
    """Of dgs with two views: leave the last frame, the second view's, to the model, as the release."""

    def __post_init__(self):
        _require(self.temperature > 0, f"guidance.temperature must be positive, not {self.temperature}")
        _check_interval("guidance.interval", self.interval)


@dataclass(frozen=True)
class PictureSettings:
    """How a photo of any size becomes one the model takes."""

    size: tuple[int, int] | None = None
    """Rows and columns; None: the photo's own shape, as large as `max_pixels` and the model allow."""
    fit: Literal["crop", "pad", "resize"] = "crop"
    """Cut what sticks out, repeat the edges around it, or stretch (nearest pixel, as the release)."""
    max_pixels: int = 576 * 1024
    """Where `size` is not given: the model's own size is about the most it does well."""


@dataclass(frozen=True)
class DisparitySettings:
    """How disparity, inverse depth of unknown scale and shift, becomes depth in scene units; see docs/depth.md."""

    rule: Literal["centred", "release"] = "centred"
    """Scaled so that the orbit turns around what is in the middle of the picture; or the release's
    camera.disparity_scale / disparity, at most camera.far."""
    percentiles: tuple[float, float] = (1.0, 99.0)
    """Of centred: where the far and the near plane lie among the disparities; what is beyond is moved onto them."""
    max_ratio: float = 10.0
    """Of centred: the far plane is at most this many times as far away as the near one."""
    centre: float = 0.3
    """Of centred: the middle of the picture, as a share of each side. The median depth there is the distance of the
    given view from the point that the path looks at."""
    align: bool = True
    """Of centred, in a video: fit every frame's scale and shift to the others' where nothing moves."""

    def __post_init__(self):
        low, high = self.percentiles
        _require(
            0 <= low < high <= 100,
            f"camera.disparity.percentiles must rise within 0 to 100, not {low} {high}",
        )
        _require(self.max_ratio > 1, f"camera.disparity.max_ratio must be more than 1, not {self.max_ratio}")
        _require(0 < self.centre <= 1, f"camera.disparity.centre must be in (0, 1], not {self.centre}")


Principal = Literal["middle", "release"]


@dataclass(frozen=True)
class CameraSettings:
    """The given view's camera, and depth in its units."""

    focal: float = 260 / 1024
    """Focal length over the picture's width."""
    fov: float | None = None
    """Horizontal angle of view in degrees, in place of the focal length."""
    exif: bool = False
    """Take the focal length that the photo's file records."""
    principal: Principal = "middle"
    """Where the optical axis meets a photo or a video: its middle, or half a pixel right of and below it, as the
    release. Posed views have their own."""
    disparity: DisparitySettings = field(default_factory=DisparitySettings)
    """How a disparity map becomes scene units."""
    disparity_scale: float = 10000.0
    """Of the rule release: depth at a disparity of 1."""
    far: float = 500.0
    """Of the rule release: largest depth made of a disparity map."""

    def __post_init__(self):
        _require(self.focal > 0, f"camera.focal must be positive, not {self.focal}")
        _require(self.fov is None or 0 < self.fov < 180, f"camera.fov must lie between 0 and 180, not {self.fov}")
        _require(self.disparity_scale > 0, f"camera.disparity_scale must be positive, not {self.disparity_scale}")
        _require(self.far > 0, f"camera.far must be positive, not {self.far}")

    @property
    def focal_over_width(self) -> float:
        """Focal length over the picture's width, whichever way it was given."""
        return self.focal if self.fov is None else 0.5 / math.tan(math.radians(self.fov) / 2)


PathKind = Literal["orbit", "line", "ellipse", "spiral", "dolly-zoom", "figure-of-eight", "full-turn", "file"]


@dataclass(frozen=True)
class PathSettings:
    """Where the camera goes. It looks at the origin; world +y is down in the picture.

    Moves about the given view (spiral, dolly-zoom, figure-of-eight) begin where an orbit does, at (0, 0, radius[1]).
    """

    kind: PathKind = "orbit"
    """An ellipse about the origin, level (orbit) or tilted (ellipse); a straight line; a move about the given view; all
    the way round in several videos (full-turn); or the poses of a file."""
    frames: int | None = None
    """Length of the video, the given view included; None: what the model was trained on."""
    radius: tuple[float, float] = (60.0, 70.0)
    """Half axes of an orbit or ellipse along x and z. The second, except of a line or a file, is the distance of the
    given view from the origin."""
    step_degrees: float = 1.0
    """Of an orbit or ellipse: angle from frame to frame."""
    inverse: bool = False
    """Of an orbit or ellipse: go the other way round."""
    tilt_degrees: float = 30.0
    """Of an ellipse: how steeply it rises; 0 is an orbit, negative sinks."""
    start: float = 40.0
    """Of a line: it begins at (start, 0, 0)."""
    end: tuple[float, float, float] = (30.0, 2.0, -10.0)
    """Of a line: where it ends."""
    reach: tuple[float, float, float] = (8.0, 4.0, 8.0)
    """Of a spiral: how far it gets to the side, up and down, and forward; a figure-of-eight takes the first two."""
    turns: float = 2.0
    """Of a spiral: how often it goes round."""
    travel: float = 20.0
    """Of a dolly-zoom: how far forward it goes while what is at the origin keeps its size; negative goes back."""
    file: Path | None = None
    """Of a file: poses, a frame each: .json, or .txt as this project, TUM, KITTI or RealEstate10K write it."""

    def __post_init__(self):
        _require(
            self.frames is None or self.frames >= 2,
            f"a video needs at least 2 frames, the given view included, not {self.frames}",
        )
        _require(min(self.radius) > 0, f"the orbit's radii must be positive, not {self.radius}")
        _require(
            (self.kind == "file") == (self.file is not None),
            "a path from a file needs both path.kind file and path.file, the file's name",
        )
        distance = self.radius[1]
        _require(
            self.kind != "dolly-zoom" or self.travel < distance,
            f"a dolly-zoom must stay in front of the origin: path.travel is {self.travel}, path.radius {distance}",
        )
        _require(
            self.kind != "spiral" or abs(self.reach[2]) < distance,
            f"a spiral must stay in front of the origin: path.reach is {self.reach[2]}, path.radius {distance}",
        )

    @property
    def distance(self) -> float:
        """From the given view to the origin, at which the camera looks."""
        return abs(self.start) if self.kind == "line" else self.radius[1]


@dataclass(frozen=True)
class MemorySettings:
    """What a render's memory depends on, and with it time or exactness; docs/memory.md says how much."""

    tile: tuple[int, int] | None = None
    """Rows and columns of pixels that the VAE works on at a time; None: whole pictures. Tiles change the result a
    little."""
    tile_overlap: int = 64
    """Of tile: pixels that neighbours share, over which one fades into the other."""
    sequential_guidance: bool = False
    """Evaluate the two branches of classifier-free guidance one after the other instead of together."""
    vae_dtype: Literal["float32", "bfloat16"] = "float32"
    """What the VAE decodes in. bfloat16 takes half the memory and on GPUs a third of the time, for a little noise.
    Encoding is always in float32."""

    def __post_init__(self):
        _require(
            self.tile is None or self.tile_overlap < min(self.tile),
            f"memory.tile_overlap must be smaller than memory.tile, not {self.tile_overlap}",
        )


@dataclass(frozen=True)
class RenderSettings:
    """Everything that decides what a render computes, given inputs, weights and a seed."""

    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    solver: SolverSettings = field(default_factory=SolverSettings)
    conditioning: ConditioningSettings = field(default_factory=ConditioningSettings)
    trust: TrustSettings = field(default_factory=TrustSettings)
    guidance: GuidanceSettings = field(default_factory=GuidanceSettings)
    picture: PictureSettings = field(default_factory=PictureSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    path: PathSettings = field(default_factory=PathSettings)
    views: ViewsSettings = field(default_factory=ViewsSettings)
    warp: WarpSettings = field(default_factory=WarpSettings)
    memory: MemorySettings = field(default_factory=MemorySettings)
    decode_chunk: int = 8
    """Frames decoded together: more costs memory, fewer costs temporal consistency."""

    def __post_init__(self):
        check_numbers(self)
        _require(
            self.guidance.hole_strength == 0 or self.conditioning.holes == "filled",
            "guidance.hole_strength needs conditioning.holes filled: black is no guess at what is in a hole",
        )
