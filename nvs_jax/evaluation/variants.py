"""What is compared, as data: a variant says how frames are made, a table which variants stand beside each other."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from nvs_jax.settings import Counting, Estimate, Guided, Holes, Method, SolverKind

Way = Literal["ceiling", "baseline"] | Method
DepthError = Literal["true", "scaled", "blurred"]
GUIDED: tuple[Guided, ...] = get_args(Guided)


@dataclass(frozen=True)
class Constant:
    """The same w at every step and frame (1 for the given view, as always)."""

    w: float = 1.0


@dataclass(frozen=True)
class ClosedForm:
    """w of (18). Only v2 / v1 and v3 / v1 matter. The defaults are what the release's search arrives at."""

    v1: float = 0.001
    v2: float = 1000.0
    v3: float = 10.0


@dataclass(frozen=True)
class FreeTable:
    """w by noise level and frame, linear in log sigma between the levels and constant beyond them.

    Attributes:
        sigmas: the levels, falling.
        w: in [0, 1], a row a level, for every frame but the given one.
    """

    sigmas: tuple[float, ...]
    w: tuple[tuple[float, ...], ...]


Rule = Constant | ClosedForm | FreeTable
Fitted = Literal["best constant", "fitted"]
"""A rule whose numbers are found on the fitting scenes, for each method."""


@dataclass(frozen=True)
class Variant:
    """A way to make frames of a scene, and the conditions it is put under.

    Attributes:
        method: ceiling: the truth through the VAE; baseline: the warp with its holes filled by the nearest colour,
            through the VAE; none: the video model alone; dgs and post: guided by the warp.
        trust: in the warp, where it guides.
        steps: of the solver.
        depth: the true one, or with one of an estimator's errors.
        shading: 0 for surfaces that look the same from everywhere, 1 for highlights and reflections.
        estimate: the release's selection, the same with soft edges, or the paper's blend.
        counting: of the selection: w is a share of the free values, or as the release counts.
        tiles: Post in the release's four tiles.
        mixed_context: the release's temporal cross-attention.
        target_scale: the warp's latents are divided by the VAE's own scale times this; the release's factor is 1.02.
        guidance_scale: of classifier-free guidance at the first and the last frame; 1 and 1 is none, in half the
            evaluations; the release's are 1 and 3.
        learning_rate: of Post, the size of its corrections; None: what was found best for w = 1. The release's is 0.02,
            for a hundred steps.
        holes: what the warp's holes hold when it is encoded; the release's are black.
        hole_strength: how far estimates are drawn towards what fills the holes, above a noise level of 0.3.
        fill: of baseline: its holes hold the nearest colour, or their surroundings continued smoothly, as those of the
            views that guide.
        solver: as `SolverSettings` name it, with their other defaults.
        videos: of so many, each from other noise, the mean is scored. The mean of all videos that could be true is
            the best guess in PSNR; how far a single one falls short of it is the price of its having details.
        more: other settings of the render, by name, as a preset has them: (("restart.times", 2), ...).
    """

    method: Way
    trust: Rule | Fitted = ClosedForm()
    steps: int = 25
    depth: DepthError = "true"
    shading: float = 0.0
    estimate: Estimate = "select"
    tiles: bool = False
    mixed_context: bool = False
    target_scale: float = 1.0
    guidance_scale: tuple[float, float] = (1.0, 1.0)
    learning_rate: float | None = None
    holes: Holes = "filled"
    solver: SolverKind = "euler"
    videos: int = 1
    hole_strength: float = 0.0
    fill: Literal["nearest", "smooth"] = "nearest"
    counting: Counting = "free"
    more: tuple[tuple[str, Any], ...] = ()

    @property
    def baseline(self) -> "Variant":
        """What it must beat: the filled warp under the same conditions."""
        return Variant("baseline", depth=self.depth, shading=self.shading)

    def described(self) -> dict[str, Any]:
        """As plain data: only what makes a difference to the frames, so that equal frames have equal descriptions."""
        fields, steered = asdict(self), self.method not in ("ceiling", "baseline", "none")
        fields["weights"] = fields.pop("trust")  # as results on disk call it: their keys are made of these names
        if not steered:
            for name in ("weights", "estimate", "tiles", "target_scale", "holes", "hole_strength"):
                del fields[name]
        if not steered or self.estimate != "select":
            del fields["counting"]
        if self.method != "baseline":
            del fields["fill"]
        if self.method != "post":
            del fields["learning_rate"]
        if self.method in ("ceiling", "baseline"):
            for name in ("steps", "mixed_context", "guidance_scale", "solver", "videos"):
                del fields[name]
        if self.method in ("ceiling", "none"):
            del fields["depth"]
        if not self.more:
            del fields["more"]
        return fields


@dataclass(frozen=True)
class MethodFit:
    """What was found best for one method."""

    constant: Constant = Constant()
    closed_form: ClosedForm = ClosedForm()
    learning_rate: float = 0.02
    """Of Post."""


@dataclass(frozen=True)
class Fit:
    """What was found best on the fitting scenes."""

    dgs: MethodFit = MethodFit()
    post: MethodFit = MethodFit()


def resolve(variant: Variant, fit: Fit) -> Variant:
    """The variant with numbers in place of "best constant" and "fitted", and of Post's learning rate.

    >>> resolve(Variant("dgs", "best constant"), Fit(dgs=MethodFit(Constant(0.8)))).trust
    Constant(w=0.8)
    """
    found = fit.post if variant.method == "post" else fit.dgs
    if variant.method == "post" and variant.learning_rate is None:
        variant = replace(variant, learning_rate=found.learning_rate)
    if not isinstance(variant.trust, str):
        return variant
    return replace(variant, trust=found.constant if variant.trust == "best constant" else found.closed_form)


Table = dict[str, Variant]
"""Title of a row -> what it shows."""
_NAMES: dict[Guided, str] = {"dgs": "DGS", "post": "Post"}
_RULES: dict[str, Rule | Fitted] = {
    "w = 1": Constant(),
    "best constant w": "best constant",
    "closed form, release's v1 v2 v3": ClosedForm(),
    "closed form, fitted": "fitted",
}
_DEPTHS: dict[DepthError, str] = {"true": "true depth", "scaled": "scale and shift wrong", "blurred": "edges blurred"}
_REFERENCES = {
    "truth through the VAE": Variant("ceiling"),
    "filled warp": Variant("baseline"),
    "smoothly filled warp": Variant("baseline", fill="smooth"),
}

FOR_LOOKS = Variant(
    "dgs",
    Constant(),
    hole_strength=0.5,
    more=(("guidance.hole_sigma", 3.0), ("resample.times", 1), ("resample.low", 0.5), ("resample.high", 50.0)),
)
"""What the small model's preset.yaml asks for."""
FOR_PSNR = Variant(
    "dgs",
    Constant(),
    hole_strength=0.3,
    solver="lcm",
    more=(("schedule.kind", "list"), ("schedule.levels", (700.0, 128.5637, 13.678444, 0.49687842))),
)
"""What its best.yaml asks for."""


def _main() -> Table:
    guided = {
        f"{name}, {rule}": Variant(method, trust) for method, name in _NAMES.items() for rule, trust in _RULES.items()
    }
    drawn = {
        f"{name}, w = 1, holes drawn to the fill": Variant(method, Constant(), hole_strength=0.5)
        for method, name in _NAMES.items()
    }
    chosen = {
        "DGS, w = 1, holes drawn down to 3, resampled": FOR_LOOKS,
        "DGS, w = 1, holes drawn by 0.3, 4 steps of lcm": FOR_PSNR,
    }
    return _REFERENCES | {"model alone": Variant("none")} | guided | drawn | chosen


def _steps() -> Table:
    methods = {"model alone": Variant("none")} | {
        f"{name}, fitted": Variant(method, "fitted") for method, name in _NAMES.items()
    }
    return {
        f"{name}, {steps} steps": replace(variant, steps=steps)
        for name, variant in methods.items()
        for steps in (25, 50, 100)
    }


def _conditions() -> Table:
    table = {}
    for shading, surfaces in ((0.0, "matt"), (1.0, "shiny")):
        if shading:
            table |= {
                f"truth through the VAE, {surfaces}": Variant("ceiling", shading=shading),
                f"model alone, {surfaces}": Variant("none", shading=shading),
            }
        for depth, error in _DEPTHS.items():
            under = f"{surfaces}, {error}"
            table[f"filled warp, {under}"] = Variant("baseline", depth=depth, shading=shading)
            table[f"DGS, release's v1 v2 v3, {under}"] = Variant("dgs", depth=depth, shading=shading)
            for method, name in _NAMES.items():
                table[f"{name}, fitted, {under}"] = Variant(method, "fitted", depth=depth, shading=shading)
    return table


def _extras() -> Table:
    table = {}
    for method, name in _NAMES.items():
        plain = Variant(method, "fitted")
        table |= {
            f"{name}, fitted": plain,
            f"{name}, blended instead of selected": replace(plain, estimate="blend"),
            f"{name}, selected as the release counts": replace(plain, counting="release"),
            f"{name}, target scale times 1.02": replace(plain, target_scale=1.02),
            f"{name}, holes black": replace(plain, holes="black"),
            f"{name}, classifier-free guidance 1 to 3": replace(plain, guidance_scale=(1.0, 3.0)),
            # Without that guidance there is one branch, and nothing to mix.
            f"{name}, the same with mixed temporal context": replace(
                plain, guidance_scale=(1.0, 3.0), mixed_context=True
            ),
        }
        release = Variant(
            method,
            counting="release",
            mixed_context=True,
            target_scale=1.02,
            guidance_scale=(1.0, 3.0),
            holes="black",
        )
        if method == "post":
            table[f"{name}, tiles"] = replace(plain, tiles=True)
            table[f"{name}, learning rate 0.02"] = replace(plain, learning_rate=0.02)
            release = replace(release, tiles=True, learning_rate=0.02)
        table[f"{name}, all as the release"] = release
    return table


def _means() -> Table:
    table = {}
    for method in ("none", *GUIDED):
        name = "model alone" if method == "none" else f"{_NAMES[method]}, fitted"
        one = Variant(method, "fitted")
        table |= {f"{name}, one video": one, f"{name}, mean of 4 videos": replace(one, videos=4)}
    return table


TABLES: dict[str, Table] = {
    "Methods": _main(),
    "Steps": _steps(),
    "Depth errors and highlights": _conditions(),
    "The release's ways": _extras(),
    "Means of several videos": _means(),
}
QUICK: dict[str, Table] = {
    "Methods": {
        name: replace(variant, steps=10)
        for name, variant in TABLES["Methods"].items()
        if not isinstance(variant.trust, str)
    }
}
"""What a few minutes on two cores suffice for: nothing has to be fitted."""
MAIN = "Methods"
"""The table that curves by angle and camera accuracy are made of."""


def variants_of(tables: dict[str, Table], fit: Fit) -> list[Variant]:
    """Everything the tables need, once each, with the baselines they are compared to."""
    found: dict[str, Variant] = {}
    for table in tables.values():
        for variant in table.values():
            for needed in (variant.baseline, resolve(variant, fit)):
                found.setdefault(str(needed.described()), needed)
    return list(found.values())
