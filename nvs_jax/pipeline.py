"""Photo, depth and camera path to video: the whole method, on arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float, PRNGKeyArray

from nvs_jax.diffusion import Codec
from nvs_jax.diffusion.parts import Parts
from nvs_jax.diffusion.problem import Problem, Report, States, solve, tell_done
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.errors import InputError
from nvs_jax.inputs.view import given_view
from nvs_jax.loading import load_model
from nvs_jax.models.contract import VideoModel
from nvs_jax.settings import Method, RenderSettings
from nvs_jax.settings.presets import own_preset, settings_for
from nvs_jax.sharding import constrain, use
from nvs_jax.steering.conditions import Conditions
from nvs_jax.steering.leg_states import LegStates
from nvs_jax.steering.legs import Plan, leg_key, photo_plan
from nvs_jax.steering.preparing import Randomness, keys_of, prepare
from nvs_jax.steering.render import Part, Render, join, part_of


class Overrides(TypedDict, total=False):
    """Settings that `Pipeline.render` takes by name."""

    method: Method
    steps: int


def load(
    source: str | Path,
    *,
    dtype: Any = None,
    low_memory: bool = False,
    mesh: Mesh | None = None,
    divide_weights: bool = False,
    frames: int | None = None,
    told: RenderSettings | None = None,
) -> "Pipeline":
    """A pipeline from published weights.

    Args:
        source: a checkpoint written by `nvs-jax convert`, a folder in diffusers' layout, an original svd*.safetensors,
            or OWNER/NAME on the Hugging Face Hub.
        dtype: of all networks but the VAE, which stays float32, e.g. "bfloat16"; None keeps the stored one.
        low_memory: keep only one of the networks on the device at a time; each is read when its turn comes, in every
            render again.
        mesh: devices that share the work, from `nvs_jax.sharding.make_mesh`; the weights go to all of them.
        divide_weights: each of them keeps a part of every layer's weights instead, and gathers a layer's when its turn
            comes; of the network that samples, where its layers are of one shape.
        frames: of the videos that it is to make, if that is known: no weights are read where the model cannot.
        told: settings of renders that it is to make, if they are known: likewise.

    Raises:
        InputError: `source` is none of them, or is damaged; its weights are not divided, its videos have other lengths,
            or it cannot do what `told` says.
    """
    settings = None if own_preset(source) is None else settings_for(source)  # which come before the model's own
    asked = {"dtype": dtype, "low_memory": low_memory, "mesh": mesh, "divide_weights": divide_weights}
    model = load_model(source, frames=frames, told=told, **asked)
    return Pipeline(model, mesh, settings)


class Pipeline:
    """A video model together with warp, guidance and solver.

    Args:
        model: its weights are on the devices of the mesh.
        mesh: devices that share the work; None for the default device alone.
        settings: of renders that are given none; None: what suits the model.
    """

    def __init__(self, model: VideoModel, mesh: Mesh | None = None, settings: RenderSettings | None = None):
        self.model, self.mesh, self.settings = model, mesh, settings or model.defaults

    def render(
        self,
        photo: Float[np.ndarray, "H W 3"],
        *,
        depth: Float[np.ndarray, "H W"],
        path: Float[Array, "f 4 4"],
        intrinsics: Float[Array, "3 3"] | None = None,
        seed: int = 0,
        settings: RenderSettings | None = None,
        report: Report | None = None,
        parts: Parts = Parts(),
        **overrides: Unpack[Overrides],
    ) -> Render:
        """The scene of `photo` along `path`.

        Args:
            photo: in [0, 1]; rows and columns divisible by `model.lattice.pixels`.
            depth: z of every pixel, in the units of the path.
            path: world-to-camera poses, the first one the photo's own.
            intrinsics: K in pixels; None takes focal length and principal point of the settings.
            seed: of all random numbers.
            settings: everything else, and the lenses of a dolly-zoom if their path is one; None takes the pipeline's
                own, which weights may bring.
            report: called as the work goes on; see `nvs_jax.diffusion.problem.Report`.
            parts: a guidance, a solver or trust of your own, in place of the settings'.
            overrides: `method="post"` and `steps=50` in place of the settings' own.

        Raises:
            InputError: sizes, depth, path, settings or parts that cannot be rendered.
        """
        settings = override(settings or self.settings, **overrides)
        view = given_view(photo, depth, intrinsics, settings.camera)
        return self.render_plan(photo_plan(view, path, settings), seed, report=report, parts=parts)

    def render_plan(
        self,
        plan: Plan,
        seed: int = 0,
        settings: RenderSettings | None = None,
        report: Report | None = None,
        run: LegStates | None = None,
        parts: Parts = Parts(),
    ) -> Render:
        """The video of a plan: of a photo, a video, several views or a full turn; see `nvs_jax.steering.legs`.

        Args:
            plan: of the video.
            seed: of all random numbers.
            settings: everything else; None takes those that the plan was made with.
            report: called as the work goes on; see `nvs_jax.diffusion.problem.Report`. What it raises ends the work.
            run: where the sampler's states are kept, and what it begins from; `nvs_jax.runs.resume.Run` is one.
            parts: of your own, as in `render`; those that are functions are called for every leg.

        Raises:
            InputError: a size the model cannot take, or inputs that do not fit together.
        """
        return join(plan, self.render_legs(plan, seed, settings, report, run, parts))

    def render_legs(
        self,
        plan: Plan,
        seed: int = 0,
        settings: RenderSettings | None = None,
        report: Report | None = None,
        run: LegStates | None = None,
        parts: Parts = Parts(),
    ) -> Iterator[Part]:
        """The same leg by leg, each as soon as it is there; `nvs_jax.steering.render.join` puts them together."""
        rendered: list[np.ndarray] = []
        for index, leg in enumerate(plan.legs):
            states = None if run is None else run.leg(index, len(plan.legs))
            conditions, key = leg(rendered), leg_key(seed, index)
            render = self.render_conditions(conditions, key, settings or plan.settings, report, states, parts)
            rendered.append(render.frames)
            yield part_of(plan, index, render)

    def render_conditions(
        self,
        conditions: Conditions,
        seed: int | PRNGKeyArray = 0,
        settings: RenderSettings | None = None,
        report: Report | None = None,
        states: States | None = None,
        parts: Parts = Parts(),
    ) -> Render:
        """The video that `conditions` steer: see `nvs_jax.steering.conditions` for all the ways to make them.

        Args:
            conditions: what is known of every frame.
            seed: of all random numbers, or a key.
            settings: everything else; None takes the pipeline's own, which weights may bring.
            report: called as the work goes on; see `nvs_jax.diffusion.problem.Report`.
            states: where the sampler's states are kept, and what it begins from; `nvs_jax.runs.resume.Leg` is one.
            parts: of your own, as in `render`.

        Raises:
            InputError: a size the model cannot take, or a part that does not meet its contract.
        """
        return self.render_seeds(conditions, keys_of(seed), settings, report, states, parts)[0]

    def render_seeds(
        self,
        conditions: Conditions,
        seeds: Sequence[int] | Keys,
        settings: RenderSettings | None = None,
        report: Report | None = None,
        states: States | None = None,
        parts: Parts = Parts(),
    ) -> tuple[Render, ...]:
        """The videos of several seeds, sampled at once: each is what `render_conditions` makes of its seed.

        Args:
            conditions: what is known of every frame.
            seeds: one or more, or keys.
            settings: as in `render_conditions`, as are the others.
            report: called as the work goes on.
            states: where the sampler's states are kept.
            parts: of your own, as in `render`.

        Raises:
            InputError: a size the model cannot take, or a part that does not meet its contract.
        """
        settings = settings or self.settings
        tell_done(report, conditions, "warp")
        problem = self.prepare(conditions, seeds, settings, parts)
        tell_done(report, problem, "encode")
        latents = jax.block_until_ready(solve(problem, report, states))
        # The best of several particles comes first.
        frames = self.decode(latents if settings.particles.count == 1 else latents[:1], settings)
        tell_done(report, frames, "decode")
        sigmas = problem.sigmas[:-1]
        trust = _per_frame(np.asarray(jax.vmap(problem.trust)(sigmas)))
        return tuple(Render(video, conditions, trust, np.asarray(sigmas)) for video in np.asarray(frames))

    def prepare(
        self,
        conditions: Conditions,
        randomness: Randomness,
        settings: RenderSettings | None = None,
        parts: Parts = Parts(),
    ) -> Problem:
        """Encode and assemble all that the sampler needs.

        Args:
            conditions: what is known of every frame.
            randomness: a seed or a key, several of either for as many videos at once, or the noise itself.
            settings: of the render, as in `render`.
            parts: of your own, as in `render`.

        Raises:
            InputError: a size the model cannot take, or a part that does not meet its contract.
        """
        settings = settings or self.settings
        return prepare(self.model.told(settings), conditions, randomness, settings, self.mesh, parts)

    def decode(
        self, latents: Float[Array, "*b f h w c"], settings: RenderSettings | None = None
    ) -> Float[Array, "*b n H W 3"]:
        """Frames in [0, 1] of the clean latents of a video, or of b videos, which stay as many."""
        codec = self.model.told(settings or self.settings).codec()
        with use(self.mesh):
            frames = _decode(codec, latents if latents.ndim == 5 else latents[None])
        return frames if latents.ndim == 5 else frames[0]


def override(settings: RenderSettings, method: Method | None = None, steps: int | None = None) -> RenderSettings:
    """The settings with another method or number of steps.

    Raises:
        InputError: another number of steps than a list of noise levels has.

    >>> override(RenderSettings(), steps=7).schedule.steps
    7
    """
    if method is not None:
        settings = replace(settings, guidance=replace(settings.guidance, method=method))
    if steps is not None:
        schedule = settings.schedule
        if schedule.kind == "list" and steps != schedule.steps:
            raise InputError(
                f"a list of {schedule.steps} noise levels is as many steps, not {steps}: leave the number out, or "
                "choose another --schedule.kind"
            )
        settings = replace(settings, schedule=replace(settings.schedule, steps=steps))
    return settings


def _per_frame(trust: Float[np.ndarray, "steps f *cells"]) -> Float[np.ndarray, "steps f"]:
    return trust.mean(tuple(range(2, trust.ndim)))


@jax.jit
def _decode(codec: Codec, latents: Float[Array, "b f h w c"]) -> Float[Array, "b n H W 3"]:
    return constrain(codec.decode(latents), "replicated")
