"""A scene with its truth, and frames of it by any variant: scene -> problem -> frames."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from nvs_jax.conditions import Conditions, from_photo
from nvs_jax.diffusion import Churn, Codec, run, start
from nvs_jax.diffusion.view_weights import Coefficients, TabulatedWeights, view_weights
from nvs_jax.evaluation.fill import fill_nearest
from nvs_jax.evaluation.settings import BenchmarkSettings
from nvs_jax.evaluation.variants import Constant, DepthKind, FreeTable, Rule, Variant
from nvs_jax.geometry import fill_holes, forward_warp, orbit
from nvs_jax.pipeline import Pipeline, Problem
from nvs_jax.scenes import Scene, SceneSettings, blur_edges, default_view, random_scene, render_path, scale_and_shift
from nvs_jax.settings import (
    ConditioningSettings,
    GuidanceSettings,
    RenderSettings,
    ScheduleSettings,
    SolverSettings,
)

SCALE, SHIFT = 0.95, 0.01
"""Of disparity, in depth that is scaled: surfaces 4 units away seem to be 4.04, those 10 away 9.5."""
BLUR = 1.5
"""Standard deviation in pixels at 128 columns, of depth whose edges are blurred."""
_SEGMENT = 5
_NEXT_VIDEO = 10_000_019
"""Between the seeds of a scene's videos: no two scenes share one."""
WeightsTable = Float[Array, "levels f"]


class Truth(NamedTuple):
    """A scene as its cameras see it; the first is the given view.

    Attributes:
        scene: what is seen.
        pictures: in [0, 1].
        depth: of the given view, exact.
        poses: world-to-camera.
        intrinsics: K of all.
        holes: in every frame but the first, what the warp with exact depth does not know.
    """

    scene: Scene
    pictures: Float[Array, "f h w 3"]
    depth: Float[Array, "h w"]
    poses: Float[Array, "f 4 4"]
    intrinsics: Float[Array, "3 3"]
    holes: Bool[Array, "f-1 h w"]


def true_views(seed: int, shading: float, settings: BenchmarkSettings) -> Truth:
    """What the cameras of a benchmark scene see; even seeds are gone round to one side, odd ones to the other.

    Args:
        seed: of the scene.
        shading: 0 for matt surfaces, up to 1 for highlights and reflections.
        settings: sizes and path.
    """
    height, width = settings.size
    scenes = SceneSettings()
    scene = random_scene(seed, scenes)
    step = settings.step_degrees if seed % 2 == 0 else -settings.step_degrees
    poses = orbit(scenes.orbit_radius, scenes.orbit_radius, jnp.float32(step), settings.frames)
    _, intrinsics = default_view(height, width, scenes)
    shiny = jnp.float32(shading)
    seen = render_path(scene, poses, intrinsics, height, width, samples=settings.samples, view_dependent=shiny)
    warp = forward_warp(seen.picture[0], seen.depth[0], intrinsics, poses[0], poses[1:])
    return Truth(scene, seen.picture, seen.depth[0], poses, intrinsics, ~warp.valid)


def wrong_depth(depth: Float[Array, "h w"], kind: DepthKind) -> Float[Array, "h w"]:
    """Depth as an estimator might give it."""
    match kind:
        case "true":
            return depth
        case "scaled":
            return scale_and_shift(depth, SCALE, SHIFT)
        case "blurred":
            return blur_edges(depth, BLUR * depth.shape[1] / 128)


def render_settings(variant: Variant, own_scale: float) -> RenderSettings:
    """What the pipeline is told; w comes from `weights_table`.

    Args:
        variant: one that samples.
        own_scale: what the VAE's latents are divided by.
    """
    method = variant.method if variant.method in ("dgs", "post") else "none"
    return RenderSettings(
        schedule=ScheduleSettings(steps=variant.steps),
        solver=SolverSettings(variant.solver),
        conditioning=ConditioningSettings(
            mixed_context=variant.mixed_context,
            target_scale=own_scale * variant.target_scale,
            guidance_scale=variant.guidance_scale,
            holes=variant.holes,
        ),
        guidance=GuidanceSettings(
            method=method,
            estimate=variant.estimate,
            counting=variant.counting,
            tiles=variant.tiles,
            learning_rate=0.02 if variant.learning_rate is None else variant.learning_rate,
            hole_strength=variant.hole_strength,
        ),
    )


def conditions_of(truth: Truth, variant: Variant, settings: RenderSettings = RenderSettings()) -> Conditions:
    """The given view, warped with the depth that the variant is given."""
    depth = wrong_depth(truth.depth, variant.depth)
    return from_photo(truth.pictures[0], depth, truth.intrinsics, truth.poses, settings)


def weights_table(rule: Rule, sigmas: Float[Array, "levels"], distances: Float[Array, "f"]) -> WeightsTable:
    """w of every level and frame. A table whatever the rule, so that all rules share one compiled sampler."""
    match rule:
        case Constant():
            return jnp.broadcast_to(jnp.where(distances > 0, rule.w, 1.0), (*sigmas.shape, *distances.shape))
        case FreeTable():
            return interpolated_weights(jnp.asarray(rule.sigmas), jnp.asarray(rule.w), sigmas)
    return view_weights(sigmas, distances, Coefficients(rule.v1, rule.v2, rule.v3))


def interpolated_weights(
    known: Float[Array, "known"], w: Float[Array, "known targets"], sigmas: Float[Array, "levels"]
) -> WeightsTable:
    """w at any levels, linear in log sigma between those known; 1 for the given view, which comes first.

    >>> print(interpolated_weights(jnp.array([10.0, 0.1]), jnp.array([[0.8], [0.4]]), jnp.array([700.0, 1.0])))
    [[1.  0.8]
     [1.  0.6]]
    """
    rising = jnp.argsort(known)
    at, places = jnp.log(sigmas), jnp.log(known[rising])
    columns = jax.vmap(lambda column: jnp.interp(at, places, column), 1, 1)(w[rising])
    return jnp.pad(columns, ((0, 0), (1, 0)), constant_values=1.0)


def problem_of(pipeline: Pipeline, truth: Truth, variant: Variant, seed: int) -> Problem:
    """All that the sampler needs, for a variant that samples; its weights are a table.

    The table has a row for every noise level at which the solver asks for an estimate: one a step, two of Churn's.
    """
    if isinstance(variant.weights, str):
        raise TypeError(f"{variant.weights!r} has no numbers yet: see nvs_jax.evaluation.variants.resolve")
    settings = render_settings(variant, 1 / pipeline.model.networks.vae_config.scaling_factor)
    conditions = conditions_of(truth, variant, settings)
    problem = pipeline.prepare(conditions, jax.random.key(seed), settings)
    sigmas = problem.sigmas[:-1]
    if isinstance(problem.solver, Churn):
        raised = sigmas * (1 + problem.solver.gamma)
        sigmas = jnp.stack(
            [sigmas, raised], axis=1
        ).ravel()  # the largest of the schedule stays first: (18) divides by it
    table = weights_table(variant.weights, sigmas, conditions.distance)
    return replace(problem, weights=TabulatedWeights(sigmas, table))


def solve_in_segments(problem: Problem) -> Float[Array, "1 f h w c"]:
    """Clean latents, five steps to a program where that divides the steps, else one.

    A solver has the same program for 5, 10, 25, 50 and 100 steps, and one more for all other numbers.
    """
    weights = problem.weights
    assert isinstance(weights, TabulatedWeights)
    sigmas, levels, table = (np.asarray(a) for a in (problem.sigmas, weights.sigmas, weights.table))
    steps = len(sigmas) - 1
    rows = len(levels) // steps
    length = 1 if steps % _SEGMENT else _SEGMENT
    carry = start(problem.noise * jnp.sqrt(problem.sigmas[0] ** 2 + 1), problem.solver, problem.key)
    for done in range(0, steps, length):
        # Heun's second estimate is made where the next step begins; there is none at the end.
        here = np.minimum(np.arange(rows * done, rows * (done + length + 1)), len(levels) - 1)
        part = TabulatedWeights(jnp.asarray(levels[here]), jnp.asarray(table[here]))
        interval = jnp.asarray(sigmas[done : done + length + 1])
        carry = run(carry, interval, problem.denoiser, problem.guidance, part, problem.solver)
    return carry.x


def frames_of(pipeline: Pipeline, truth: Truth, variant: Variant, seed: int) -> Float[np.ndarray, "f h w 3"]:
    """The frames that a variant makes of a scene, the given view's included, in [0, 1].

    Args:
        pipeline: model and solver.
        truth: the scene.
        variant: with numbers for weights; see `nvs_jax.evaluation.variants.resolve`.
        seed: of the noise; the same for every variant, which are compared scene by scene. Further videos of a variant
            that takes several have seeds of their own.
    """
    match variant.method:
        case "ceiling":
            frames = _through_codec(pipeline.model.codec(ConditioningSettings()), truth.pictures)
        case "baseline":
            warp = conditions_of(truth, variant).warp
            if variant.fill == "nearest":
                filled = jnp.asarray(fill_nearest(np.asarray(warp.pictures), np.asarray(warp.valid)))
            else:
                filled = fill_holes(warp.condition, warp.hole)
            pictures = jnp.concatenate([truth.pictures[:1], filled])
            frames = _through_codec(pipeline.model.codec(ConditioningSettings()), pictures)
        case _:
            seeds = (seed + index * _NEXT_VIDEO for index in range(variant.videos))
            problems = (problem_of(pipeline, truth, variant, each) for each in seeds)
            videos = [np.asarray(pipeline.decode(solve_in_segments(problem))) for problem in problems]
            frames = np.mean(videos, axis=0)
    return np.asarray(frames)


@jax.jit
def _through_codec(codec: Codec, pictures: Float[Array, "f h w 3"]) -> Float[Array, "f h w 3"]:
    return codec.decode(codec.encode(pictures)[None])[0]
