"""A scene with its truth, and frames of it by any variant: scene -> problem -> frames."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from nvs_jax.diffusion import ClosedFormTrust, Codec, Coefficients, TabulatedTrust, closed_form_trust, solve
from nvs_jax.diffusion.contracts import Latents
from nvs_jax.diffusion.problem import Problem
from nvs_jax.errors import InputError
from nvs_jax.evaluation.fill import fill_nearest
from nvs_jax.evaluation.variants import ClosedForm, Constant, DepthError, FreeTable, Rule, Variant
from nvs_jax.geometry import fill_holes, forward_warp, orbit
from nvs_jax.models.contract import VideoModel
from nvs_jax.pipeline import Pipeline
from nvs_jax.pytree import pytree
from nvs_jax.scenes import Scene, SceneSettings, blur_edges, default_view, random_scene, render_path, scale_and_shift
from nvs_jax.settings import (
    ConditioningSettings,
    GuidanceSettings,
    RenderSettings,
    SolverSettings,
    SVDSettings,
)
from nvs_jax.settings.evaluation import BenchmarkSettings
from nvs_jax.steering.conditions import Conditions, from_photo

SCALE, SHIFT = 0.95, 0.01
"""Of disparity, in depth that is scaled: surfaces 4 units away seem to be 4.04, those 10 away 9.5."""
BLUR = 1.5
"""Standard deviation in pixels at 128 columns, of depth whose edges are blurred."""
_SEGMENT, _LEVELS = 5, 8
_NEXT_VIDEO = 10_000_019
"""Between the seeds of a scene's videos: no two scenes share one."""
TrustTable = Float[Array, "levels f"]


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
    scenes = SceneSettings(natural=settings.natural)
    scene = random_scene(seed, scenes)
    step = settings.step_degrees if seed % 2 == 0 else -settings.step_degrees
    poses = orbit(scenes.orbit_radius, scenes.orbit_radius, jnp.float32(step), settings.frames)
    _, intrinsics = default_view(height, width, scenes)
    shiny = jnp.float32(shading)
    seen = render_path(scene, poses, intrinsics, height, width, samples=settings.samples, view_dependent=shiny)
    warp = forward_warp(seen.picture[0], seen.depth[0], intrinsics, poses[0], poses[1:])
    return Truth(scene, seen.picture, seen.depth[0], poses, intrinsics, ~warp.valid)


def wrong_depth(depth: Float[Array, "h w"], kind: DepthError) -> Float[Array, "h w"]:
    """Depth as an estimator might give it."""
    match kind:
        case "true":
            return depth
        case "scaled":
            return scale_and_shift(depth, SCALE, SHIFT)
        case "blurred":
            return blur_edges(depth, BLUR * depth.shape[1] / 128)


def render_settings(variant: Variant, pipeline: Pipeline) -> RenderSettings:
    """What the pipeline is told; w comes from `rule_trust`.

    Args:
        variant: one that samples.
        pipeline: whose model it is; a variant whose warps are scaled in another way than the model's own needs one that
            has a `latent_scale`.
    """
    settings = RenderSettings(
        schedule=replace(pipeline.model.defaults.schedule, steps=variant.steps),
        solver=SolverSettings(variant.solver),
        conditioning=ConditioningSettings(guidance_scale=variant.guidance_scale, holes=variant.holes),
        svd=SVDSettings(
            mixed_context=variant.mixed_context,
            target_scale=None if variant.target_scale == 1 else variant.target_scale * own_scale(pipeline.model),
        ),
        guidance=GuidanceSettings(
            method=variant.method,
            estimate=variant.estimate,
            counting=variant.counting,
            tiles=variant.tiles,
            learning_rate=0.02 if variant.learning_rate is None else variant.learning_rate,
            hole_strength=variant.hole_strength,
        ),
    )
    return changed(settings, variant.more)


def changed(settings: RenderSettings, more: Sequence[tuple[str, Any]]) -> RenderSettings:
    """The settings with some others, by name.

    >>> changed(RenderSettings(), (("restart.times", 2), ("decode_chunk", 4))).restart.times
    2
    """
    groups: dict[str, dict[str, Any]] = {}
    for name, value in more:
        group, _, field = name.rpartition(".")
        groups.setdefault(group, {})[field] = value
    alone = groups.pop("", {})
    return replace(settings, **{name: replace(getattr(settings, name), **own) for name, own in groups.items()}, **alone)


def own_scale(model: VideoModel) -> float:
    """What the model's latents are divided by when nothing else is asked for.

    Raises:
        InputError: the model has no such number.
    """
    if model.latent_scale is None:
        raise InputError("this model's latents have no scale: leave out variants with another target scale")
    return model.latent_scale


def conditions_of(truth: Truth, variant: Variant, settings: RenderSettings = RenderSettings()) -> Conditions:
    """The given view, warped with the depth that the variant is given."""
    depth = wrong_depth(truth.depth, variant.depth)
    return from_photo(truth.pictures[0], depth, truth.intrinsics, truth.poses, settings)


@pytree
class RuleTrust:
    """w of any rule, at any sigma. One shape for all rules, so that they share one compiled sampler.

    Attributes:
        closed: (18).
        table: of a constant or a free table, with a row for every level, the last one repeated.
        tabulated: whether the table answers.
    """

    closed: ClosedFormTrust
    table: TabulatedTrust
    tabulated: Bool[Array, ""]

    def __call__(self, sigma: Float[Array, ""]) -> Float[Array, "f"]:
        """w of all frames; 1 for the given view."""
        return jnp.where(self.tabulated, self.table(sigma), self.closed(sigma))


def rule_trust(rule: Rule, sigma_scale: float | Float[Array, ""], distances: Float[Array, "f"]) -> RuleTrust:
    """w of a rule for frames at these distances.

    Args:
        rule: with its numbers.
        sigma_scale: what (18) divides noise levels by.
        distances: |dp| of every frame, 0 for the given one, which comes first.
    """
    levels, rows = (1.0,), jnp.where(distances > 0, rule.w if isinstance(rule, Constant) else 1.0, 1.0)[None]
    if isinstance(rule, FreeTable):
        falling = np.argsort(rule.sigmas)[::-1]
        levels = np.asarray(rule.sigmas)[falling]
        rows = jnp.asarray(with_given(np.asarray(rule.w, np.float32)[falling]))
    repeated = -len(levels) % _LEVELS
    coefficients = Coefficients(rule.v1, rule.v2, rule.v3) if isinstance(rule, ClosedForm) else Coefficients()
    return RuleTrust(
        closed=closed_form_trust(distances, sigma_scale, jax.tree.map(jnp.float32, coefficients)),
        table=TabulatedTrust(
            jnp.asarray(np.pad(np.asarray(levels, np.float32), (0, repeated), "edge")),
            jnp.pad(rows, ((0, repeated), (0, 0)), "edge"),
        ),
        tabulated=jnp.asarray(not isinstance(rule, ClosedForm)),
    )


def with_given(
    w: Float[Array, "levels targets"] | Float[np.ndarray, "levels targets"],
) -> Float[Array, "levels f"]:
    """A table of all frames but the given one with a first column for that: 1."""
    return jnp.pad(w, ((0, 0), (1, 0)), constant_values=1.0)


def rule_table(rule: Rule, sigmas: Float[Array, "levels"], distances: Float[Array, "f"]) -> TrustTable:
    """w of every level and frame; the first level is the largest."""
    return jax.vmap(rule_trust(rule, sigmas[0], distances))(sigmas)


def problem_of(pipeline: Pipeline, truth: Truth, variant: Variant, seed: int) -> Problem:
    """All that the sampler needs, for a variant that samples."""
    if isinstance(variant.trust, str):
        raise TypeError(f"{variant.trust!r} has no numbers yet: see nvs_jax.evaluation.variants.resolve")
    settings = render_settings(variant, pipeline)
    conditions = conditions_of(truth, variant, settings)
    problem = pipeline.prepare(conditions, jax.random.key(seed), settings)
    far = conditions.distance.reshape(len(conditions.distance), -1).mean(-1)  # of frames, where it is of every pixel
    distances = pipeline.model.codec().pool_frames(far)
    return replace(problem, trust=rule_trust(variant.trust, pipeline.model.sigma_scale, distances))


def solve_in_segments(problem: Problem) -> Latents:
    """Clean latents, five steps to a program where that divides the steps, else one.

    A solver has the same program for 5, 10, 25, 50 and 100 steps, and one more for all other numbers.
    """
    steps = len(problem.sigmas) - 1
    return solve(problem, length=1 if steps % _SEGMENT else _SEGMENT)


def frames_of(pipeline: Pipeline, truth: Truth, variant: Variant, seed: int) -> Float[np.ndarray, "f h w 3"]:
    """The frames that a variant makes of a scene, the given view's included, in [0, 1].

    Args:
        pipeline: model and solver.
        truth: the scene.
        variant: with numbers for trust; see `nvs_jax.evaluation.variants.resolve`.
        seed: of the noise; the same for every variant, which are compared scene by scene. Further videos of a variant
            that takes several have seeds of their own.
    """
    match variant.method:
        case "ceiling":
            frames = through_codec(pipeline.model.codec(), truth.pictures)
        case "baseline":
            warp = conditions_of(truth, variant).warp
            if variant.fill == "nearest":
                filled = jnp.asarray(fill_nearest(np.asarray(warp.pictures), np.asarray(warp.valid)))
            else:
                filled = fill_holes(warp.condition, warp.hole)
            pictures = jnp.concatenate([truth.pictures[:1], filled])
            frames = through_codec(pipeline.model.codec(), pictures)
        case _:
            seeds = (seed + index * _NEXT_VIDEO for index in range(variant.videos))
            problems = (problem_of(pipeline, truth, variant, each) for each in seeds)
            videos = [np.asarray(pipeline.decode(solve_in_segments(problem)[0])) for problem in problems]
            frames = np.mean(videos, axis=0)
    return np.asarray(frames)


@jax.jit
def through_codec(codec: Codec, pictures: Float[Array, "f h w 3"]) -> Float[Array, "f h w 3"]:
    """Pictures as a video that is encoded and decoded again: the best that a model with this codec can do."""
    return codec.decode(codec.encode(pictures)[None])[0]
