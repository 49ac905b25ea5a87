"""From settings to the objects the sampler takes."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, cast, get_args

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from nvs_jax.diffusion.combinators.assemble import around_solver, soften
from nvs_jax.diffusion.contracts import Guidance, Trust
from nvs_jax.diffusion.estimates import Blend, Estimate, Select, SmoothSelect, WarpedViews
from nvs_jax.diffusion.guidance import DirectGuidance, FilledHoles, PosteriorGuidance, Tiled, Unguided, Within
from nvs_jax.diffusion.levels import make_levels
from nvs_jax.diffusion.reference_trust import reference_trust
from nvs_jax.diffusion.solver import Solver, solver_class
from nvs_jax.diffusion.trust import Coefficients, TabulatedTrust, closed_form_trust
from nvs_jax.errors import InputError
from nvs_jax.settings import (
    GuidanceSettings,
    Guided,
    Mode,
    RenderSettings,
    SolverSettings,
    TrustSettings,
)
from nvs_jax.settings.registry import load_guidance
from nvs_jax.windows import overlapping_windows

RELEASE_CLAMP = {
    ("single", "dgs"): 0.0,
    ("single", "post"): 0.2,
    ("video", "dgs"): 0.0,
    ("video", "post"): 0.6,
    ("views", "dgs"): 0.4,
    ("views", "post"): 0.4,
}


def count_steps(settings: RenderSettings) -> int:
    """Steps that a render takes, those made again included.

    >>> from nvs_jax.settings import ResampleSettings
    >>> count_steps(RenderSettings()), count_steps(RenderSettings(resample=ResampleSettings(2, 1.0, 20.0)))
    (25, 37)
    """
    sigmas = make_levels(settings)
    return len(around_solver(settings, make_solver(settings.solver, settings.schedule.steps), sigmas)[1]) - 1


def make_solver(settings: SolverSettings, steps: int) -> Solver:
    """The solver of the settings.

    Args:
        settings: its name and numbers.
        steps: of the run.

    Raises:
        InputError: there is none of this name, or it has no such numbers.

    >>> make_solver(SolverSettings("churn", churn=5.0), steps=50)
    Churn(gamma=0.1, low=0.05, high=50.0, noise=1.003)
    >>> make_solver(SolverSettings("churn", numbers=(("gamma", 0.2),)), steps=50)
    Churn(gamma=0.2, low=0.05, high=50.0, noise=1.003)
    """
    named = solver_class(settings.kind)
    made = named.of(settings, steps) if hasattr(named, "of") else named()
    if not isinstance(made, Solver):
        raise InputError(f"the solver {settings.kind!r} has no `init` and `step`: see CONTRIBUTING.md")
    if not settings.numbers:
        return made
    own = {one.name: getattr(made, one.name) for one in fields(made)} if is_dataclass(made) else {}
    numbers = {name: _as_its_default(name, value, own) for name, value in settings.numbers}
    try:
        return replace(cast(Any, made), **numbers)
    except ValueError as error:  # what its own checks say
        raise InputError(f"solver.numbers: {error}") from error


def _as_its_default(name: str, value: float | int, own: dict[str, Any]) -> Any:
    """A number of a solver in the type that it has by default."""
    numbers = {name: number for name, number in own.items() if isinstance(number, int | float)}
    if name not in numbers:
        has = ", ".join(numbers) or "none"
        raise InputError(f"solver.numbers: this solver has no number {name!r}, but {has}")
    kind = type(numbers[name])
    if kind(value) != value:
        raise InputError(f"solver.numbers: {name} must be of type {kind.__name__}, not {value:g}")
    return kind(value)


def make_trust(
    settings: TrustSettings,
    sigmas: Float[Array, "levels"],
    distances: Float[Array, "f *cells"] | Float[np.ndarray, "f *cells"],
    sigma_scale: float,
) -> Trust:
    """w(sigma) by the rule of the settings, for frames, or cells, at these distances from the given view.

    Args:
        settings: the rule and its numbers.
        sigmas: noise levels of the sampler, which a search tabulates.
        distances: |dp| of each.
        sigma_scale: what noise levels are divided by in (18); a constant of the model.

    Raises:
        InputError: a search among distances that are being traced.
    """
    if settings.rule == "search":
        if isinstance(distances, Tracer):
            raise InputError("the search for v1, v2, v3 has no gradient: choose --trust.rule closed-form")
        distances = np.asarray(distances, np.float64)
        table, _ = reference_trust(np.asarray(sigmas[:-1]), distances)
        return TabulatedTrust(sigmas[:-1], jnp.asarray(table, sigmas.dtype))
    coefficients = Coefficients(settings.v1, settings.v2, settings.v3)
    return closed_form_trust(jnp.asarray(distances, sigmas.dtype), sigma_scale, coefficients)


def check_parts(settings: RenderSettings) -> None:
    """Refuse names and numbers of solvers, and guidances of other packages, that would fail after minutes of work.

    Raises:
        InputError: see `make_solver`, `make_levels`, and `nvs_jax.settings.registry.load_guidance`.
    """
    count_steps(settings)
    if settings.guidance.method not in (*get_args(Guided), "none"):
        load_guidance(settings.guidance.method)


def make_guidance(
    settings: GuidanceSettings,
    views: WarpedViews,
    multiple: int,
    mode: Mode = "single",
    moved: Float[Array, "f h w"] | None = None,
) -> Guidance:
    """The guidance of the settings.

    Args:
        settings: method, estimate and their numbers.
        views: the warped views in latent space.
        multiple: what the latent size of a tile must be divisible by.
        mode: where the settings leave the clamp open, and for the tiles, the release's for this mode are taken.
        moved: |dp| of every latent cell, for `hole_doubt`.

    Raises:
        InputError: a method of another package is not there, or makes no guidance.
    """
    if settings.method == "none":
        return Unguided()
    if settings.free_last and mode == "views" and settings.method == "dgs":
        views = WarpedViews(views.target, views.hole.at[:, -1].set(True))
    guidance, views = soften(settings, _make_everywhere(settings, views, multiple, mode), views, moved)
    if settings.hole_strength > 0:
        guidance = FilledHoles(guidance, views, settings.hole_strength, settings.hole_sigma)
    return guidance if settings.interval is None else Within(guidance, *settings.interval)


def _make_everywhere(settings: GuidanceSettings, views: WarpedViews, multiple: int, mode: Mode) -> Guidance:
    """The guidance outside of holes, at work at every noise level."""
    if settings.method not in get_args(Guided):
        return _of_another_package(settings, views)
    rule = _make_estimate(settings, views, mode)
    if settings.method == "dgs":
        return DirectGuidance(rule)
    posterior = PosteriorGuidance(rule, settings.learning_rate, settings.gradient, settings.half)
    if not settings.tiles:
        return posterior
    _, _, height, width, _ = views.target.shape
    extra_rows = 0 if mode == "single" else multiple
    return Tiled(posterior, overlapping_windows(height, width, multiple, extra_rows))


def _of_another_package(settings: GuidanceSettings, views: WarpedViews) -> Guidance:
    made = load_guidance(settings.method)(settings, views)
    if not isinstance(made, Guidance):
        raise InputError(f"the guidance {settings.method!r} has no `correct` and `estimate`: see CONTRIBUTING.md")
    return made


def _make_estimate(settings: GuidanceSettings, views: WarpedViews, mode: Mode) -> Estimate:
    target, hole = views.target, views.hole
    if settings.estimate == "blend":
        return Blend(target, hole, known=views.known)
    clamp = RELEASE_CLAMP[mode, settings.method] if settings.clamp is None else settings.clamp
    if settings.estimate == "smooth":
        return SmoothSelect(target, hole, clamp, settings.temperature, known=views.known)
    return Select(target, hole, clamp, settings.counting)
