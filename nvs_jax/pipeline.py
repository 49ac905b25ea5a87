"""Photo, depth and camera path to video: the whole method, on arrays."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nvs_jax.diffusion import Codec, Denoiser, Guidance, ViewWeights, run, start
from nvs_jax.diffusion.assemble import make_guidance, make_sigmas, make_weights
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.errors import InputError
from nvs_jax.geometry import Warp, forward_warp, intrinsics_matrix
from nvs_jax.models.svd.model import SVD
from nvs_jax.pytree import pytree
from nvs_jax.settings import RenderSettings

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total) whenever a part of a stage is done: "warp", "encode", "sample", "decode"."""
Frames = Float[Array, "f H W 3"]


class Overrides(TypedDict, total=False):
    """Settings that `Pipeline.render` takes by name."""

    method: Literal["dgs", "post", "none"]
    steps: int


def load(source: str | Path, *, dtype: Any = None) -> "Pipeline":
    """A pipeline from published weights.

    Args:
        source: a folder in diffusers' layout, or a checkpoint written by `nvs-jax convert`.
        dtype: of the UNet and the image encoder, e.g. "bfloat16"; None keeps the stored one. The VAE stays float32.

    Raises:
        InputError: `source` is neither, or is damaged.
    """
    from convert import load_networks

    return Pipeline(SVD(load_networks(source, dtype)))


@dataclass(frozen=True)
class Render:
    """What a render gives back; the warp is still on the device.

    Attributes:
        frames: the video, in [0, 1]; its first frame is the given view.
        warp: the given view in the poses of the other frames.
        weights: w, how much each step trusted the warp of each frame.
        sigmas: noise levels of the steps.
    """

    frames: Float[np.ndarray, "f H W 3"]
    warp: Warp
    weights: Float[np.ndarray, "steps f"]
    sigmas: Float[np.ndarray, "steps"]


@pytree
class Problem:
    """Everything the sampler needs, on the device: a render up to its first step."""

    denoiser: Denoiser
    guidance: Guidance
    weights: ViewWeights
    noise: Float[Array, "1 f h w c"]
    sigmas: Float[Array, "levels"]


class Noise(NamedTuple):
    """N(0, 1), to replay a run: added to the given picture, and what the latents start from."""

    picture: Float[Array, "H W 3"]
    latents: Float[Array, "f h w c"]


class Pipeline:
    """A video model together with warp, guidance and solver."""

    def __init__(self, model: SVD):
        self.model = model

    def render(
        self,
        photo: Float[np.ndarray, "H W 3"],
        *,
        depth: Float[np.ndarray, "H W"],
        path: Float[Array, "f 4 4"],
        intrinsics: Float[Array, "3 3"] | None = None,
        seed: int = 0,
        settings: RenderSettings = RenderSettings(),
        report: Report | None = None,
        **overrides: Unpack[Overrides],
    ) -> Render:
        """The scene of `photo` along `path`.

        Args:
            photo: in [0, 1]; rows and columns divisible by `model.multiple`.
            depth: z of every pixel, in the units of the path.
            path: world-to-camera poses, the first one the photo's own.
            intrinsics: K in pixels; None takes the focal length of the settings and the picture's centre.
            seed: of all random numbers.
            settings: everything else.
            report: called as the work goes on; see `Report`.
            overrides: `method="post"` and `steps=50` in place of the settings' own.

        Raises:
            InputError: sizes, depth, path or settings that cannot be rendered.
        """
        settings = override(settings, **overrides)
        warp = self.warp(photo, depth=depth, path=path, intrinsics=intrinsics, settings=settings)
        _tell(report, warp, "warp")
        problem = self.prepare(photo, warp, path, jax.random.key(seed), settings)
        _tell(report, problem, "encode")
        latents = solve(problem, report)
        frames = self.decode(latents, settings)
        _tell(report, frames, "decode")
        sigmas = problem.sigmas[:-1]
        return Render(
            frames=np.asarray(frames),
            warp=warp,
            weights=np.asarray(jax.vmap(problem.weights)(sigmas)),
            sigmas=np.asarray(sigmas),
        )

    def warp(
        self,
        photo: Float[np.ndarray, "H W 3"],
        *,
        depth: Float[np.ndarray, "H W"],
        path: Float[Array, "f 4 4"],
        intrinsics: Float[Array, "3 3"] | None = None,
        settings: RenderSettings = RenderSettings(),
    ) -> Warp:
        """The photo in the pose of every frame but the first; arguments and errors as of `render`."""
        check_inputs(photo, depth, path, self.model.multiple)
        return warp_views(photo, depth, path, intrinsics, settings)

    def prepare(
        self,
        photo: Float[np.ndarray, "H W 3"],
        warp: Warp,
        path: Float[Array, "f 4 4"],
        randomness: PRNGKeyArray | Noise,
        settings: RenderSettings = RenderSettings(),
    ) -> Problem:
        """Encode and assemble all that the sampler needs.

        Args:
            photo: the given view, in [0, 1].
            warp: the views of the other frames.
            path: poses of all frames.
            randomness: a key, or the noise itself.
            settings: of the render.
        """
        frames, codec = path.shape[0], self.model.codec(settings.conditioning)
        if not isinstance(randomness, Noise):
            for_picture, for_latents = jax.random.split(randomness)
            shape = codec.latent_shape(frames, *photo.shape[:2])
            randomness = Noise(jax.random.normal(for_picture, photo.shape), jax.random.normal(for_latents, shape))
        denoiser, given = self.model.condition(jnp.asarray(photo), randomness.picture, frames, settings.conditioning)
        views = _encode_views(codec, given, warp)
        sigmas = make_sigmas(settings.schedule)
        distances = codec.pool_frames(pose_distances(path, settings.weights.distance))
        return Problem(
            denoiser=denoiser,
            guidance=make_guidance(settings.guidance, views, self.model.latent_multiple),
            weights=make_weights(settings.weights, sigmas, np.asarray(distances, np.float64)),
            noise=randomness.latents[None],
            sigmas=sigmas,
        )

    def decode(self, latents: Float[Array, "1 f h w c"], settings: RenderSettings = RenderSettings()) -> Frames:
        """Frames in [0, 1] of clean latents."""
        return _decode(self.model.codec(settings.conditioning, settings.decode_chunk), latents)[0]


def warp_views(
    photo: Float[np.ndarray, "H W 3"],
    depth: Float[np.ndarray, "H W"],
    path: Float[Array, "f 4 4"],
    intrinsics: Float[Array, "3 3"] | None,
    settings: RenderSettings,
) -> Warp:
    """The photo in the pose of every frame but the first; needs no model."""
    height, width = depth.shape
    if intrinsics is None:
        intrinsics = intrinsics_matrix(settings.camera.focal * width, height, width)
    return forward_warp(jnp.asarray(photo), jnp.asarray(depth), intrinsics, path[0], path[1:], settings.warp)


def override(
    settings: RenderSettings, method: Literal["dgs", "post", "none"] | None = None, steps: int | None = None
) -> RenderSettings:
    """The settings with another method or number of steps.

    >>> override(RenderSettings(), steps=7).schedule.steps
    7
    """
    if method is not None:
        settings = replace(settings, guidance=replace(settings.guidance, method=method))
    if steps is not None:
        settings = replace(settings, schedule=replace(settings.schedule, steps=steps))
    return settings


def solve(problem: Problem, report: Report | None = None) -> Float[Array, "1 f h w c"]:
    """Clean latents, a fixed number of steps to a program, so that progress can be reported between programs."""
    x = problem.noise * jnp.sqrt(problem.sigmas[0] ** 2 + 1)
    steps = len(problem.sigmas) - 1
    length = segment_length(steps)
    carry = start(x)
    for done in range(0, steps, length):
        sigmas = problem.sigmas[done : done + length + 1]
        carry = run(carry, sigmas, problem.denoiser, problem.guidance, problem.weights)
        _tell(report, carry, "sample", done + length, steps)
    return carry.x


def _tell(report: Report | None, result: Any, stage: str, done: int = 1, total: int = 1) -> None:
    """Wait for `result` and say that it is there; where nobody listens, do not wait."""
    if report is not None:
        jax.block_until_ready(result)
        report(stage, done, total)


def segment_length(steps: int) -> int:
    """Steps to a program: the largest divisor of `steps` that leaves at least five programs, or 1.

    >>> [segment_length(n) for n in (4, 25, 50, 100, 23)]
    [1, 5, 10, 20, 1]
    """
    return max(n for n in range(1, max(1, steps // 5) + 1) if steps % n == 0)


def check_inputs(photo: np.ndarray, depth: np.ndarray, path: Array, multiple: int) -> None:
    """Refuse what cannot be rendered, before anything is computed.

    Raises:
        InputError: see `Pipeline.render`.
    """
    height, width = photo.shape[:2]
    if depth.shape != (height, width):
        raise InputError(f"depth is {depth.shape[0]}x{depth.shape[1]}, the photo {height}x{width}: make them agree")
    if height % multiple or width % multiple:
        raise InputError(f"the photo is {height}x{width}: rows and columns must be multiples of {multiple}")
    if not (depth > 0).all():
        raise InputError("depth must be positive everywhere; infinity says that it is unknown")
    if path.shape[0] < 2:
        raise InputError(f"the path has {path.shape[0]} poses: it needs the photo's own and at least one more")


def pose_distances(path: Float[Array, "f 4 4"], measure: Literal["centre", "index"]) -> Float[Array, "f"]:
    """|dp| of every pose to the first: between camera centres, or the number of frames between them."""
    if measure == "index":
        return jnp.arange(path.shape[0], dtype=path.dtype)
    centres = -jnp.einsum("fji,fj->fi", path[:, :3, :3], path[:, :3, 3])
    return jnp.linalg.norm(centres - centres[0], axis=-1)


@jax.jit
def _encode_views(codec: Codec, given: Float[Array, "h w c"], warp: Warp) -> WarpedViews:
    """X^ and its holes; the first frame is the given view itself, without holes."""
    latents = codec.encode(warp.condition)
    holes = codec.pool_mask(warp.hole)
    return WarpedViews(
        target=jnp.concatenate([given[None], latents])[None],
        hole=jnp.concatenate([jnp.zeros_like(holes[:1]), holes])[None],
    )


@jax.jit
def _decode(codec: Codec, latents: Float[Array, "b f h w c"]) -> Float[Array, "b n H W 3"]:
    return codec.decode(latents)
