"""From settings to what is put around a solver and a guidance: nothing where they are off."""

from dataclasses import replace

import jax
from jaxtyping import Array, Float

from nvs_jax.diffusion.combinators.agreement import Agreement, SameSurface
from nvs_jax.diffusion.combinators.particles import Particles
from nvs_jax.diffusion.combinators.resampling import resampled
from nvs_jax.diffusion.combinators.restarts import restarted
from nvs_jax.diffusion.combinators.soft_holes import SoftHoles, doubt_weight, edge_weight
from nvs_jax.diffusion.contracts import Guidance
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.diffusion.solver import Solver
from nvs_jax.errors import InputError
from nvs_jax.settings import GuidanceSettings, RenderSettings


def around_solver(
    settings: RenderSettings, solver: Solver, sigmas: Float[Array, "levels"]
) -> tuple[Solver, Float[Array, "more"]]:
    """The solver with restarts and resampling, and the levels with those that they repeat.

    Raises:
        InputError: the levels do not suffice for restarts.
    """
    with jax.ensure_compile_time_eval():  # levels are numbers, whatever is being traced
        if (restart := settings.restart).times:
            solver, sigmas = restarted(solver, sigmas, restart.times, restart.low, restart.high)
        if (resample := settings.resample).times:
            solver, sigmas = resampled(solver, sigmas, resample.times, resample.low, resample.high)
    return solver, sigmas


def soften(
    settings: GuidanceSettings, guidance: Guidance, views: WarpedViews, moved: Float[Array, "f h w"] | None
) -> tuple[Guidance, WarpedViews]:
    """The guidance with soft holes, and the views as it knows them.

    Args:
        settings: how soft.
        guidance: what works outside of holes.
        views: the warped views.
        moved: |dp| of each cell, for the doubt.
    """
    if settings.hole_edge == 0 and settings.hole_doubt is None:
        return guidance, views
    weight = edge_weight(views.hole, settings.hole_edge)
    if settings.hole_doubt is not None and moved is not None:
        weight = weight * doubt_weight(moved, settings.hole_doubt)
    return SoftHoles(guidance, weight), replace(views, known=views.share * weight)


def around_guidance(
    settings: RenderSettings, guidance: Guidance, views: WarpedViews, same: SameSurface | None = None
) -> Guidance:
    """The guidance with agreement between frames, of one video or of particles.

    Args:
        settings: which of them.
        guidance: what works in every frame on its own.
        views: the warped views.
        same: which latent cells show the same surface, for the agreement.

    Raises:
        InputError: agreement, and nothing is known of that.
    """
    if (agree := settings.guidance).agreement > 0:
        if same is None:
            raise InputError("guidance.agreement takes a photo along a path with its depth: leave it at 0 here")
        guidance = Agreement(guidance, 1 - views.share, same, agree.agreement, agree.agreement_sigma)
    if (particles := settings.particles).count == 1:
        return guidance
    return Particles(guidance, views, particles.temperature, particles.low, particles.high)
