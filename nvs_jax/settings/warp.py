"""The warp of given views, and which of them a frame is warped from. No JAX here."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from nvs_jax.settings.ranges import TINY, Between, Ranged, require

Straight = Literal["centre", "translation"]


@dataclass(frozen=True)
class WarpSettings(Ranged, group="warp."):
    """The warp and its masks. The defaults are what docs/warp.md measures to be best; `reference` is the release."""

    splat: Literal["reference", "bilinear", "zbuffer", "surface", "soft"] = "surface"
    """The release's splat; the same with sub-pixel-correct taps; only what is nearest; small planes, looked up; or a
    splat whose edges fade, for gradients: `quantize` and `drop_behind` are then off and on."""
    max_tilt: Annotated[float | None, Between(0, 90, "both")] = 83.0
    """Where depth changes faster than a surface this many degrees from facing the camera, there is no surface."""
    drop_behind: bool = True
    """Leave out points behind the target camera. Off, as in the release, they appear mirrored; surface: always on."""
    depth_clip: Annotated[float, Between(TINY, 1e9)] = 5000.0
    """Of reference and bilinear: depth in the target camera is limited to [0, this], in scene units."""
    max_weight: Annotated[float | None, Between(0, 1e9)] = None
    """Of reference and bilinear: a pixel of more summed weight is not valid (the release, for one view: 0.6)."""
    sharpness: Annotated[float, Between(0, 1000)] = 50.0
    """Of reference and bilinear: how strongly the nearer surface wins where several fall on one pixel."""
    depth_tolerance: Annotated[float, Between(0, 1, "both")] = 0.05
    """Of zbuffer and surface: depths within this share of each other are one surface."""
    min_weight: float = 0.3
    """Of zbuffer: a pixel with less of the nearest surface on it is not valid; 1 is a pixel fully covered. Of soft: a
    pixel with this much on it is seen by seven eighths, and with a third of it by half."""
    dilation: Annotated[int, Between(1, 255)] = 1
    """Side of the square by which holes grow, in pixels; odd. The release: 5."""
    quantize: bool = True
    """Round warped pictures to 8 bits. Off, the warp is differentiable."""

    def __post_init__(self):
        super().__post_init__()
        require(self.dilation % 2 == 1, f"warp.dilation must be odd, not {self.dilation}")

    @classmethod
    def release(cls, depth_clip: float = 5000.0, max_weight: float | None = 0.6, **others: Any) -> "WarpSettings":
        """The release's warp of one view; its video has a depth_clip of 10000, its two views 1000 and no max_weight."""
        fixed: dict[str, Any] = {"splat": "reference", "max_tilt": None, "drop_behind": False, "dilation": 5}
        return cls(**(fixed | {"depth_clip": depth_clip, "max_weight": max_weight} | others))


@dataclass(frozen=True)
class ViewsSettings(Ranged, group="views."):
    """Which of several given views a frame is warped from."""

    sources: Literal["nearest", "halves"] = "nearest"
    """The nearest few, the nearer surface winning, while the lens turns from one view's into the next one's; or, as the
    release, the first view for the first half of the frames and the second for the rest, with the first one's lens."""
    count: Annotated[int, Between(1, 1000)] = 2
    """Of nearest: how many."""
    straight: Straight = "centre"
    """What moves in a straight line from view to view: the camera's centre; or, as the release, the world-to-camera
    translation, which makes the path depend on where the world's origin is."""
