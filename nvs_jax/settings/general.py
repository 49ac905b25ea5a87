"""The settings of a render that all models share, as frozen dataclasses; YAML files and options load into them.

No JAX here: the command line is built from these, and `--help` should not wait for it. Defaults are those of the
preset `fast`; `configs/presets/` holds the named ones.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from nvs_jax.settings.additions import ParticleSettings, ResampleSettings, RestartSettings
from nvs_jax.settings.camera import CameraSettings, PathSettings, PictureSettings
from nvs_jax.settings.model import ConditioningSettings, MemorySettings
from nvs_jax.settings.ranges import Between, Ranged, require
from nvs_jax.settings.sampling import GuidanceSettings, ScheduleSettings, SolverSettings, TrustSettings
from nvs_jax.settings.warp import ViewsSettings, WarpSettings

Mode = Literal["single", "video", "views"]
"""One photo, a monocular video, or several posed views."""


@dataclass(frozen=True)
class GeneralSettings(Ranged):
    """What every render has, whichever model makes it; see `nvs_jax.settings.RenderSettings`."""

    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    solver: SolverSettings = field(default_factory=SolverSettings)
    conditioning: ConditioningSettings = field(default_factory=ConditioningSettings)
    trust: TrustSettings = field(default_factory=TrustSettings)
    guidance: GuidanceSettings = field(default_factory=GuidanceSettings)
    restart: RestartSettings = field(default_factory=RestartSettings)
    resample: ResampleSettings = field(default_factory=ResampleSettings)
    particles: ParticleSettings = field(default_factory=ParticleSettings)
    picture: PictureSettings = field(default_factory=PictureSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    path: PathSettings = field(default_factory=PathSettings)
    views: ViewsSettings = field(default_factory=ViewsSettings)
    warp: WarpSettings = field(default_factory=WarpSettings)
    memory: MemorySettings = field(default_factory=MemorySettings)
    decode_chunk: Annotated[int, Between(1, 10_000)] = 8
    """Frames decoded together: more costs memory, fewer costs temporal consistency."""

    def __post_init__(self):
        super().__post_init__()
        require(
            self.guidance.hole_strength == 0 or self.conditioning.holes == "filled",
            "guidance.hole_strength needs conditioning.holes filled: black is no guess at what is in a hole",
        )
        require(
            self.guidance.hole_doubt is None or self.trust.distance == "pixels",
            "guidance.hole_doubt needs trust.distance pixels: how far every pixel has moved",
        )
