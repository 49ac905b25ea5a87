"""Everything that can be asked for, as data: settings of a render, jobs, presets. No JAX here."""

from nvs_jax.settings.render import (
    CameraSettings,
    ConditioningSettings,
    DisparitySettings,
    GuidanceSettings,
    MemorySettings,
    Mode,
    PathKind,
    PathSettings,
    PictureSettings,
    Principal,
    RenderSettings,
    ScheduleSettings,
    SolverSettings,
    TrustSettings,
    ViewsSettings,
    WarpSettings,
)

__all__ = [
    "CameraSettings",
    "ConditioningSettings",
    "DisparitySettings",
    "GuidanceSettings",
    "MemorySettings",
    "Mode",
    "PathKind",
    "PathSettings",
    "PictureSettings",
    "Principal",
    "RenderSettings",
    "ScheduleSettings",
    "SolverSettings",
    "TrustSettings",
    "ViewsSettings",
    "WarpSettings",
]
