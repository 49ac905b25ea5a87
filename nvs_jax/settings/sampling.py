"""How noise becomes a video: noise levels, solver, trust in the warped views and guidance by them. No JAX here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from tyro.conf import arg

from nvs_jax.settings import registry
from nvs_jax.settings.ranges import TINY, Between, Ranged, require, require_interval

Guided = Literal["dgs", "post"]
"""Directly guided sampling (13), or posterior sampling (14)."""
Estimate = Literal["select", "smooth", "blend"]
Counting = Literal["free", "release"]
Gradient = Literal["skip", "full"]

_SOLVERS, _OTHER_GUIDANCES = registry.solvers(), registry.other_guidances()
if TYPE_CHECKING:
    Method: TypeAlias = str
    SolverKind: TypeAlias = str
else:
    Method = Literal[(Guided, "none", *_OTHER_GUIDANCES)]
    """The same, the video model alone, or a guidance of another package."""
    SolverKind = Literal[tuple(_SOLVERS)]
    """Solvers, as `nvs_jax.settings.registry` finds them."""

Numbers = tuple[tuple[str, float], ...]
"""Names with their values."""


def _require_once(group: str, numbers: Numbers) -> None:
    names = [name for name, _ in numbers]
    require(len(set(names)) == len(names), f"{group}.numbers has a name twice: {' '.join(names)}")


def _listed(choices: dict[str, registry.Choice]) -> str:
    return "; ".join(f"{name}: {one.about}" for name, one in choices.items())


@dataclass(frozen=True)
class ScheduleSettings(Ranged, group="schedule."):
    """Noise levels."""

    steps: Annotated[int, Between(1, 10_000)] = 25
    """Solver steps; of a list, as many as it has levels."""
    sigma_max: Annotated[float, Between(TINY, 1e6)] = 700.0
    """Largest noise level."""
    sigma_min: Annotated[float, Between(TINY, 1e6)] = 0.002
    """Smallest noise level before 0."""
    rho: Annotated[float, Between(0.1, 100)] = 7.0
    """Of karras: how strongly steps gather at small noise."""
    kind: Literal["karras", "exponential", "flow", "list"] = "karras"
    """Levels after Karras et al.; each the same fraction of the one before; those of a flow-matching model, whose times
    fall evenly (sigma_max is 999 times its shift, sigma_min is not used); or a list of your own."""
    levels: Annotated[tuple[float, ...], Between(TINY, 1e6)] = ()
    """Of a list: falling noise levels; a final 0 is added."""
    start: Annotated[float | None, Between(TINY, 1e6)] = None
    """Begin with the warped views and noise of this level; levels above it are left out. None: with noise alone."""

    def __post_init__(self):
        if self.kind == "list":
            falling = all(high > low for high, low in zip(self.levels, self.levels[1:], strict=False))
            require(
                bool(self.levels) and falling and self.levels[-1] > 0,
                f"a list of sigmas must be positive and fall, not {' '.join(map(str, self.levels)) or 'empty'}",
            )
            object.__setattr__(self, "steps", len(self.levels))
        super().__post_init__()
        require(
            self.sigma_min <= self.sigma_max,
            f"schedule.sigma_min must not exceed sigma_max, not {self.sigma_min} and {self.sigma_max}",
        )


@dataclass(frozen=True)
class SolverSettings(Ranged, group="solver."):
    """How a step is made; docs/guidance.md compares them."""

    kind: Annotated[SolverKind, arg(help=f"Which solver. {_listed(_SOLVERS)}.")] = "euler"
    """Which solver: a module of `nvs_jax.diffusion.solvers`, or an entry point of another package."""
    churn: Annotated[float, Between(0, 1e6)] = 40.0
    """Of churn: S_churn, how much noise is added in all."""
    churn_interval: Annotated[tuple[float, float], Between(0, 1e6)] = (0.05, 50.0)
    """Of churn: S_tmin and S_tmax, the noise levels between which it is added."""
    churn_noise: Annotated[float, Between(0, 100)] = 1.003
    """Of churn: S_noise, the standard deviation of what is added."""
    numbers: Numbers = ()
    """Of any solver: numbers of its own (fields of its class), each after its name."""

    def __post_init__(self):
        super().__post_init__()
        _require_once("solver", self.numbers)


@dataclass(frozen=True)
class TrustSettings(Ranged, group="trust."):
    """How much a frame trusts its warped view: w = lambda / (1 + lambda)."""

    rule: Literal["closed-form", "search"] = "closed-form"
    """The paper's (18), or the release's grid search over v1, v2, v3."""
    distance: Literal["centre", "index", "pixels"] = "centre"
    """|dp| of a frame: how far its camera's centre is from the given view's, or, as the release, its index; or of every
    pixel, how far it has moved (a photo or a video)."""
    v1: Annotated[float, Between(TINY, 1e6)] = 0.001
    """Of the closed form: weight of |log lambda| in (17)."""
    v2: Annotated[float, Between(0, 1e6)] = 1000.0
    """Of the closed form: the network's error grows as v2 sigma."""
    v3: Annotated[float, Between(0, 1e6)] = 10.0
    """Of the closed form: the warp's error grows as v3 |dp|."""

    def __post_init__(self):
        super().__post_init__()
        require(
            self.rule != "search" or self.distance != "pixels", "the search takes a distance a frame, not of pixels"
        )


@dataclass(frozen=True)
class GuidanceSettings(Ranged, group="guidance."):
    """How the warped views steer the sampler."""

    method: Method = "dgs"
    """Directly guided sampling (13), posterior sampling (14), the video model alone, or one of another package."""
    estimate: Estimate = "select"
    """The release's sorted selection, the same with soft edges, or the paper's blend (12)."""
    counting: Counting = "free"
    """Of select: w is the share of the values outside holes that is taken; or as the release counts, with holes among
    the sorted values, and with everything taken where a frame without holes is to give nothing."""
    clamp: Annotated[float | None, Between(0, 1)] = None
    """Of select and smooth: w is raised to at least this. None: the release's for the mode and method, 0 to 0.6."""
    temperature: Annotated[float, Between(TINY, 1e6)] = 0.05
    """Of smooth: how soft its edges are, in units of the latents."""
    interval: Annotated[tuple[float, float] | None, Between(0, 1e6)] = None
    """Noise levels between which the warped views steer; None: all."""
    hole_strength: Annotated[float, Between(0, 1)] = 0.0
    """How far estimates are drawn, in holes, towards the surroundings that fill them: 0 as the paper, 1 all the way."""
    hole_sigma: Annotated[float, Between(0, 1e6)] = 0.3
    """Smallest noise level at which it is; below it holes are the model's alone."""
    hole_edge: Annotated[float, Between(0, 1000)] = 0.0
    """Latent cells over which the views fade in from the edges of holes; 0: a cell is a hole or none."""
    hole_doubt: Annotated[float | None, Between(TINY, 1e6)] = None
    """Pixels by which a cell must have moved for the views to count half in it; None: they count all wherever it is.
    Needs trust.distance pixels."""
    agreement: Annotated[float, Between(0, 1)] = 0.0
    """How far estimates of holes that show one and the same surface in several frames are drawn to their mean (a photo
    along a path)."""
    agreement_sigma: Annotated[float, Between(0, 1e6)] = 0.3
    """Smallest noise level at which they are."""
    learning_rate: Annotated[float, Between(0, 1000)] = 0.02
    """Of post: size of a correction relative to sqrt(sigma)."""
    gradient: Gradient = "skip"
    """Of post: as the release, without a backward pass, or through the network as (14) says."""
    tiles: bool = False
    """Of post: correct in the release's four overlapping tiles."""
    half: bool = False
    """Of post: round corrections to float16, as the release always does."""
    free_last: bool = False
    """Of dgs with two views: leave the last frame, the second view's, to the model, as the release."""
    numbers: Numbers = ()
    """Of a guidance of another package: numbers of its own, each after its name."""

    def __post_init__(self):
        super().__post_init__()
        require_interval("guidance.interval", self.interval)
        _require_once("guidance", self.numbers)
        require(
            not self.numbers or self.method in _OTHER_GUIDANCES,
            f"guidance.numbers are of guidances of other packages: {self.method} has its own settings",
        )
