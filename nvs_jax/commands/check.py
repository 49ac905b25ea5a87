"""Every check on a whole model, as `nvs-jax check` runs them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
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
from nvs_jax.errors import InputError
from nvs_jax.models.svd.config import ImageEncoderConfig
from nvs_jax.models.svd.in_turn import NetworksInTurn
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import CONFIG_CLASSES, SVDNetworks
from nvs_jax.saying import bar, tell
from nvs_jax.settings import ConditioningSettings
from nvs_jax.settings.jobs import CheckJob

DTYPES = ("float32", "bfloat16")
"""The UNet and the image encoder must work in either; the VAE is always float32."""
OTHER_SIGMA = 2.0
"""Noise level at which the second dtype is tried."""
TRIED_FRAMES = 14
"""Of the clip at most, unless more are asked for."""
_UNGUIDED = ConditioningSettings(guidance_scale=(1.0, 1.0))


def run_check(job: CheckJob) -> bool:
    """Check weights and print every outcome and the verdict; whether they are sound.

    Raises:
        InputError: the weights cannot be read, or their model does not take the size.
    """
    from convert import load_networks

    networks = load_networks(job.weights, job.dtype)
    model = SVD(networks)
    frames = min(model.frames, TRIED_FRAMES) if job.frames is None else job.frames
    height, width = job.size
    if height % model.multiple or width % model.multiple:
        raise InputError(f"--size {height} {width}: this model takes multiples of {model.multiple}")
    tell(f"{job.weights}: checked on {frames} frames of {height}x{width}, {unet_dtype(networks)}")
    if not is_clip(networks):
        tell("the image encoder is not CLIP ViT-H: similarities of its embeddings are left out")
    outcomes = []
    with bar(desc="check", unit=" check") as progress:
        for outcome in check_networks(networks, frames, height, width, job.seed):
            outcomes.append(outcome)
            progress.clear()
            tell(str(outcome))
            progress.update()
    tell(verdict(job.weights, outcomes))
    return all(outcome.ok for outcome in outcomes)


def check_networks(networks: SVDNetworks, frames: int, height: int, width: int, seed: int = 0) -> Iterator[Outcome]:
    """All checks, one outcome after the other.

    Args:
        networks: what to check.
        frames: of the clip.
        height: rows; divisible by `SVD.multiple`, as are the columns.
        width: columns.
        seed: of the scenes and of the noise.
    """
    for component in CONFIG_CLASSES:
        yield check_finite(f"{component}: weights", networks.weights(component))
    model, pictures = SVD(networks), clip(frames, height, width, seed)
    codec = model.codec(_UNGUIDED)
    latents = encode(codec, pictures)
    yield from check_codec(codec, pictures, latents)

    for_picture, for_latents = jax.random.split(jax.random.key(seed))
    clean, noise = latents[None], jax.random.normal(for_latents, (1, *latents.shape))
    first = pictures[0]
    given = model.given_latent(codec, first, jax.random.normal(for_picture, first.shape), _UNGUIDED)
    own, unrelated = unet_dtype(networks), unrelated_pictures(height, width, seed)
    denoiser = model.denoiser(given, model.embed(first), frames, _UNGUIDED)
    yield from check_denoiser(partial(_probe, denoiser), clean, noise, f"UNet, {own}")
    yield from _check_image_encoder(model, unrelated, f"image encoder, {own}")
    for dtype in DTYPES:
        if dtype != own:
            other = SVD(in_dtype(networks, dtype))
            denoiser = other.denoiser(given, other.embed(first), frames, _UNGUIDED)
            limits = {OTHER_SIGMA: LIMITS[OTHER_SIGMA]}
            yield from check_denoiser(partial(_guided, denoiser), clean, noise, f"UNet, {dtype}", limits)
            yield from _check_image_encoder(other, unrelated, f"image encoder, {dtype}")


def is_clip(networks: SVDNetworks | NetworksInTurn) -> bool:
    """Whether the image encoder is the published one by its size, so that what CLIP was trained for can be asked of it:
    one that was trained along with a small UNet owes nobody similar embeddings of similar pictures."""
    return networks.image_encoder_config.projection_dim == ImageEncoderConfig().projection_dim


def _check_image_encoder(model: SVD, pictures: Sequence[Float[Array, "H W 3"]], name: str) -> Iterator[Outcome]:
    if is_clip(model.networks):
        yield from check_embeddings(model.embed, pictures, name)
    else:
        yield check_finite(f"{name}: embeddings", [model.embed(picture) for picture in pictures])


def unet_dtype(networks: SVDNetworks) -> str:
    """Of the UNet's weights."""
    return str(networks.unet["conv_in.weight"].dtype)


def in_dtype(networks: SVDNetworks, dtype: str) -> SVDNetworks:
    """The same networks, the UNet and the image encoder in another dtype."""
    unet, image_encoder = (
        {name: array.astype(dtype) for name, array in weights.items()}
        for weights in (networks.unet, networks.image_encoder)
    )
    return replace(networks, unet=unet, image_encoder=image_encoder)


@jax.jit
def _probe(denoiser: Denoiser, x: Float[Array, "b f h w c"], sigma: Float[Array, ""]) -> Float[Array, "b f h w c"]:
    return denoiser.probe(x, sigma)


@jax.jit
def _guided(denoiser: Denoiser, x: Float[Array, "b f h w c"], sigma: Float[Array, ""]) -> Float[Array, "b f h w c"]:
    return denoiser(x, sigma)
