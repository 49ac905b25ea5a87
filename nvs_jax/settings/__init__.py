"""Everything that can be asked for, as data: settings of a render, jobs, presets. No JAX here."""

from nvs_jax.settings.additions import ParticleSettings, ResampleSettings, RestartSettings
from nvs_jax.settings.camera import (
    MOST_FRAMES,
    CameraSettings,
    DepthKind,
    DisparitySettings,
    PathKind,
    PathSettings,
    PictureSettings,
    Principal,
)
from nvs_jax.settings.families.svd import SVDSettings
from nvs_jax.settings.families.wan import WanSettings
from nvs_jax.settings.general import Mode
from nvs_jax.settings.model import ConditioningSettings, Holes, MemorySettings
from nvs_jax.settings.render import RenderSettings
from nvs_jax.settings.sampling import (
    Counting,
    Estimate,
    Gradient,
    GuidanceSettings,
    Guided,
    Method,
    ScheduleSettings,
    SolverKind,
    SolverSettings,
    TrustSettings,
)
from nvs_jax.settings.warp import Straight, ViewsSettings, WarpSettings

__all__ = [
    "MOST_FRAMES",
    "CameraSettings",
    "ConditioningSettings",
    "Counting",
    "DepthKind",
    "DisparitySettings",
    "Estimate",
    "Gradient",
    "GuidanceSettings",
    "Guided",
    "Holes",
    "MemorySettings",
    "Method",
    "Mode",
    "ParticleSettings",
    "PathKind",
    "PathSettings",
    "PictureSettings",
    "Principal",
    "RenderSettings",
    "ResampleSettings",
    "RestartSettings",
    "SVDSettings",
    "ScheduleSettings",
    "SolverKind",
    "SolverSettings",
    "Straight",
    "TrustSettings",
    "ViewsSettings",
    "WanSettings",
    "WarpSettings",
]
