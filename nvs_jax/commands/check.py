"""Every check on a whole model, as `nvs-jax check` runs them."""

from collections.abc import Iterator, Sequence
from functools import partial

import jax
from jaxtyping import Array, Float

from nvs_jax.checks.codec import check_codec, encode
from nvs_jax.checks.denoiser import LIMITS, check_denoiser
from nvs_jax.checks.embeddings import check_embeddings
from nvs_jax.checks.finite import check_finite
from nvs_jax.checks.outcome import Outcome, verdict
from nvs_jax.checks.pictures import clip, unrelated_pictures
from nvs_jax.diffusion.contracts import Denoiser
from nvs_jax.geometry import nothing_known
from nvs_jax.loading import open_source
from nvs_jax.models.contract import VideoModel
from nvs_jax.models.families import Family, family
from nvs_jax.models.networks import Networks
from nvs_jax.models.weights import Weights
from nvs_jax.saying import bar, tell
from nvs_jax.settings import ConditioningSettings, RenderSettings
from nvs_jax.settings.jobs import CheckJob

DTYPES = ("float32", "bfloat16")
"""Networks must work in either, but for those that need float32."""
OTHER_SIGMA = 2.0
"""Noise level at which the second dtype is tried."""
TRIED_FRAMES = 14
"""Of the clip at most, unless more are asked for."""
_UNGUIDED = RenderSettings(conditioning=ConditioningSettings(guidance_scale=(1.0, 1.0)))


def run_check(job: CheckJob) -> bool:
    """Check weights and print every outcome and the verdict; whether they are sound.

    Raises:
        InputError: the weights cannot be read, or their model does not take the size.
    """
    opened = open_source(job.weights)
    lattice = opened.lattice
    frames = lattice.longest(min(lattice.frames, TRIED_FRAMES)) if job.frames is None else job.frames
    lattice.check(frames, *job.size)
    kin, networks = family(opened.family), opened.networks(job.dtype)
    model = kin.model(networks)
    height, width = job.size
    tell(f"{job.weights}: checked on {frames} frames of {height}x{width}, {dtype_of(kin, networks)}")
    encoder = model.picture_encoder
    if encoder is not None and not encoder.is_clip:
        tell("the image encoder is not CLIP ViT-H: similarities of its embeddings are left out")
    outcomes = []
    with bar(desc="check", unit=" check") as progress:
        for outcome in check_networks(kin, networks, frames, height, width, job.seed):
            outcomes.append(outcome)
            progress.clear()
            tell(str(outcome))
            progress.update()
    tell(verdict(job.weights, outcomes))
    return all(outcome.ok for outcome in outcomes)


def check_networks(
    kin: Family, networks: Networks, frames: int, height: int, width: int, seed: int = 0
) -> Iterator[Outcome]:
    """All checks, one outcome after the other.

    Args:
        kin: the family of the model.
        networks: what to check.
        frames: of the clip.
        height: rows; as the model's lattice takes them, as are the columns.
        width: columns.
        seed: of the scenes and of the noise.
    """
    for component in networks.configs:
        yield check_finite(f"{component}: weights", networks.weights(component))
    model, pictures = kin.model(networks).told(_UNGUIDED), clip(frames, height, width, seed)
    latents = encode(model.codec(), pictures)
    yield from check_codec(model.codec(), pictures, latents)

    for_picture, for_latents = jax.random.split(jax.random.key(seed))
    clean, noise = latents[None], jax.random.normal(for_latents, (1, *latents.shape))
    first, for_first = pictures[0], jax.random.normal(for_picture, (1, *pictures[0].shape))
    own, unrelated = dtype_of(kin, networks), unrelated_pictures(height, width, seed)
    nothing = nothing_known(frames - 1, height, width)
    denoiser = model.denoiser(model.look(first, for_first, nothing), frames)
    yield from check_denoiser(partial(_probe, denoiser), clean, noise, f"denoiser, {own}")
    yield from _check_picture_encoder(model, unrelated, own)
    for dtype in DTYPES:
        if dtype != own:
            other = kin.model(in_dtype(kin, networks, dtype)).told(_UNGUIDED)
            denoiser = other.denoiser(other.look(first, for_first, nothing), frames)
            limits = {OTHER_SIGMA: LIMITS[OTHER_SIGMA]}
            yield from check_denoiser(partial(_guided, denoiser), clean, noise, f"denoiser, {dtype}", limits)
            yield from _check_picture_encoder(other, unrelated, dtype)


def _check_picture_encoder(
    model: VideoModel, pictures: Sequence[Float[Array, "H W 3"]], dtype: str
) -> Iterator[Outcome]:
    encoder, name = model.picture_encoder, f"image encoder, {dtype}"
    if encoder is None:
        return
    if encoder.is_clip:
        yield from check_embeddings(encoder.embed, pictures, name)
    else:
        yield check_finite(f"{name}: embeddings", [encoder.embed(picture) for picture in pictures])


def dtype_of(kin: Family, networks: Networks) -> str:
    """Of the weights of the network that the solver works with."""
    return str(next(iter(networks.weights(kin.uses["sample"]).values())).dtype)


def in_dtype(kin: Family, networks: Networks, dtype: str) -> Networks:
    """The same networks, those that need not be float32 in another dtype."""

    def cast(component: str) -> Weights:
        return {
            name: array.astype(kin.held_dtype(component, array.dtype, dtype))
            for name, array in networks.weights(component).items()
        }

    return kin.gather(networks.configs, {component: cast(component) for component in networks.configs})


@jax.jit
def _probe(denoiser: Denoiser, x: Float[Array, "b f h w c"], sigma: Float[Array, ""]) -> Float[Array, "b f h w c"]:
    return denoiser.probe(x, sigma)


@jax.jit
def _guided(denoiser: Denoiser, x: Float[Array, "b f h w c"], sigma: Float[Array, ""]) -> Float[Array, "b f h w c"]:
    return denoiser(x, sigma)
