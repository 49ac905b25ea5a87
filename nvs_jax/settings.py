"""Every setting of a render, as frozen dataclasses; YAML files and the command's options load into them.

No JAX here: the command line is built from these, and `--help` should not wait for it. Defaults are those of the
preset `fast`; `configs/presets/` holds the named ones.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class WarpSettings:
    """The forward splat and its masks. The defaults are the release's for one view."""

    depth_clip: float = 5000.0
    """Depth in the target camera is limited to [0, this], in scene units."""
    max_weight: float | None = 0.6
    """A pixel whose summed weight exceeds this is not valid (points at or behind the camera); None: no limit."""
    sharpness: float = 50.0
    """How strongly the nearer surface wins where several fall on one pixel."""
    dilation: int = 5
    """Side of the square by which holes grow, in pixels; odd."""
    quantize: bool = True
    """Round warped pictures to 8 bits. Off, the warp is differentiable."""


@dataclass(frozen=True)
class ScheduleSettings:
    """Noise levels."""

    steps: int = 25
    """Solver steps."""
    sigma_max: float = 700.0
    """Largest noise level."""
    sigma_min: float = 0.002
    """Smallest noise level before 0."""
    rho: float = 7.0
    """How strongly steps gather at small noise."""


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
    """Classifier-free guidance at the first and at the last frame."""
    mixed_context: bool = False
    """The release's mixed-up cross-attention context in the temporal layers."""
    target_scale: float | None = None
    """The warped views' latents are divided by this; None: by the inverse of the VAE's own scale. The release: 5.6."""


@dataclass(frozen=True)
class WeightSettings:
    """lambda(t, pose)."""

    rule: Literal["closed-form", "search"] = "closed-form"
    """The paper's (18), or the release's grid search over v1, v2, v3."""
    v1: float = 0.001
    """Of the closed form: weight of |log lambda| in (17)."""
    v2: float = 1000.0
    """Of the closed form: the network's error grows as v2 sigma."""
    v3: float = 10.0
    """Of the closed form: the warp's error grows as v3 |dp|."""


@dataclass(frozen=True)
class GuidanceSettings:
    """How the warped views steer the sampler."""

    method: Literal["dgs", "post", "none"] = "dgs"
    """Directly guided sampling (13), posterior sampling (14), or the video model alone."""
    estimate: Literal["select", "blend"] = "select"
    """The release's sorted selection, or the paper's blend (12)."""
    clamp: float | None = None
    """Of select: w is raised to at least this. None: the release's for the mode and method."""
    learning_rate: float = 0.02
    """Of post: size of a correction relative to sqrt(sigma)."""
    gradient: Literal["skip", "full"] = "skip"
    """Of post: as the release, without a backward pass, or through the network as (14) says."""
    tiles: bool = False
    """Of post: correct in the release's four overlapping tiles."""
    half: bool = False
    """Of post: round corrections to float16, as the release always does."""


@dataclass(frozen=True)
class RenderSettings:
    """Everything that decides what a render computes, given inputs, weights and a seed."""

    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    conditioning: ConditioningSettings = field(default_factory=ConditioningSettings)
    weights: WeightSettings = field(default_factory=WeightSettings)
    guidance: GuidanceSettings = field(default_factory=GuidanceSettings)
    warp: WarpSettings = field(default_factory=WarpSettings)
    decode_chunk: int = 8
    """Frames decoded together: more costs memory, fewer costs temporal consistency."""
