"""Trust in the warped view as parameters in which the error of a whole sampling run is differentiable.

Two forms: the coefficients of (18), and a table of noise levels and frames. Both are unbounded inside, by a logarithm
and by a sigmoid, so that any optimiser may move them; `rule` gives what was found to the benchmark.
"""

from dataclasses import replace
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.diffusion import Codec, Coefficients, TabulatedTrust, Trust, closed_form_trust, sample
from nvs_jax.diffusion.problem import Problem
from nvs_jax.evaluation.problems import (
    Truth,
    conditions_of,
    problem_of,
    render_settings,
    rule_table,
    with_given,
)
from nvs_jax.evaluation.variants import ClosedForm, FreeTable, Rule, Variant
from nvs_jax.pipeline import Pipeline
from nvs_jax.pytree import pytree, static

WITHIN = (0.25, 0.95)
"""What w of a table begins between: near 0 and 1 the sigmoid has hardly a gradient."""


@runtime_checkable
class Parameters(Protocol):
    """What is tuned: a pytree."""

    def trust(self, sigma_scale: float | Float[Array, ""], distances: Float[Array, "f"]) -> Trust:
        """w of every frame as a function of sigma."""
        ...

    def rule(self) -> Rule: ...


@pytree
class TunedCoefficients:
    """v1, v2, v3 of (18).

    Attributes:
        log_v: their logarithms; a shift of all three changes nothing.
    """

    log_v: Float[Array, "3"]

    def trust(self, sigma_scale: float | Float[Array, ""], distances: Float[Array, "f"]) -> Trust:
        """w of (18)."""
        v1, v2, v3 = jnp.exp(self.log_v)
        return closed_form_trust(distances, sigma_scale, Coefficients(v1, v2, v3))

    def rule(self) -> ClosedForm:
        """Scaled to the release's v1, and rounded to four digits."""
        ratios = np.exp(np.asarray(self.log_v, np.float64) - float(self.log_v[0]))
        return ClosedForm(*(float(f"{0.001 * ratio:.4g}") for ratio in ratios))


@pytree
class TunedTable:
    """w of some noise levels and all frames but the given one.

    Attributes:
        logits: w is their sigmoid.
        sigmas: the levels, falling; between them w is linear in log sigma.
    """

    logits: Float[Array, "known targets"]
    sigmas: tuple[float, ...] = static()

    def trust(self, sigma_scale: float | Float[Array, ""], distances: Float[Array, "f"]) -> Trust:
        """Interpolated; distances make no difference."""
        return TabulatedTrust(jnp.asarray(self.sigmas), with_given(jax.nn.sigmoid(self.logits)))

    def rule(self) -> FreeTable:
        """Rounded to four decimals."""
        rows = np.asarray(jax.nn.sigmoid(self.logits), np.float64).round(4).tolist()
        return FreeTable(self.sigmas, tuple(map(tuple, rows)))


@pytree
class TuningScene:
    """A scene, ready to be sampled again and again.

    Attributes:
        problem: all but its trust is used.
        sigma_scale: of the model.
        distances: |dp| of every frame.
        truth: latents, or pictures in [0, 1], of all frames but the given one.
        codec: decodes latents to compare them with pictures; None where latents are compared.
    """

    problem: Problem
    sigma_scale: float | Float[Array, ""]
    distances: Float[Array, "f"]
    truth: Float[Array, "targets h w c"]
    codec: Codec | None = None


def tuned_coefficients(start: ClosedForm) -> TunedCoefficients:
    """Coefficients that begin at `start`; all three are positive."""
    return TunedCoefficients(jnp.log(jnp.array([start.v1, start.v2, start.v3])))


def tuned_table(start: ClosedForm, known: tuple[float, ...], scene: TuningScene) -> TunedTable:
    """A table that begins at the closed form of `start`, brought `WITHIN` bounds.

    Args:
        start: the closed form.
        known: noise levels of the table, falling.
        scene: whose frames are those of all.
    """
    sigmas = jnp.array([scene.sigma_scale, *known])  # the first is what (18) divides by
    w = jnp.clip(rule_table(start, sigmas, scene.distances)[1:, 1:], *WITHIN)
    return TunedTable(jnp.log(w / (1 - w)), known)


def tuning_scene(pipeline: Pipeline, truth: Truth, variant: Variant, seed: int, frames: bool = False) -> TuningScene:
    """Encode what a scene's runs share.

    Args:
        pipeline: the model.
        truth: of the scene.
        variant: method, estimate and number of steps; its trust is of no account.
        seed: of the noise.
        frames: compare decoded frames in place of latents, which takes the decoder and its gradient every time.
    """
    settings = render_settings(variant, pipeline)
    problem = problem_of(pipeline, truth, replace(variant, trust=ClosedForm()), seed)
    codec, scale = pipeline.model.codec(), pipeline.model.sigma_scale
    distances = codec.pool_frames(conditions_of(truth, variant, settings).distance)
    if frames:
        return TuningScene(problem, scale, distances, truth.pictures[1:], codec)
    return TuningScene(problem, scale, distances, _encode(codec, truth.pictures)[1:])


def error(parameters: Parameters, scene: TuningScene) -> Float[Array, ""]:
    """The mean squared error of a whole run's latents, or frames, in all frames but the given one.

    Its gradient keeps the latents of about 2 sqrt(steps) steps; see `nvs_jax.diffusion.checkpointing`.
    """
    problem = scene.problem
    latents = sample(
        problem.denoiser,
        problem.guidance,
        parameters.trust(scene.sigma_scale, scene.distances),
        problem.noise,
        problem.sigmas,
        problem.solver,
        problem.key,
        checkpoint=True,
    )
    found = latents if scene.codec is None else scene.codec.decode(latents)
    return jnp.mean((found[0, 1:] - scene.truth) ** 2)


error_and_gradient = jax.jit(jax.value_and_grad(error))
"""The error of a scene and its gradient in the parameters: one program for all scenes."""


@jax.jit
def _encode(codec: Codec, pictures: Float[Array, "n h w 3"]) -> Float[Array, "n H W c"]:
    return codec.encode(pictures)
