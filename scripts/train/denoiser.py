"""Train the UNet and the image encoder on latents: EDM's loss in v-prediction, conditions dropped at random."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from nvs_jax.models.clip.image_encoder import ImageEncoder
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.weights import Weights, bind, random_weights
from nvs_jax.settings import ConditioningSettings, SVDSettings
from scripts.train.clock import Span
from scripts.train.codec import NOISE_AUGMENTATION, Encoded, encode_by_number, encoded_held_out
from scripts.train.loop import first_state, spread, train
from scripts.train.pool import Pool, whole
from scripts.train.settings import DenoiserSettings, TrainSettings
from scripts.train.stage import Stage

_UNET, _IMAGE_ENCODER = "unet/", "image_encoder/"
_LAST_LAYERS = ("conv_out", "proj_out")


def split_weights(weights: Weights) -> tuple[Weights, Weights]:
    """What is trained together, as UNet and image encoder."""
    return tuple(  # pyright: ignore
        {name.removeprefix(part): value for name, value in weights.items() if name.startswith(part)}
        for part in (_UNET, _IMAGE_ENCODER)
    )


def joined_weights(unet: Weights, image_encoder: Weights) -> Weights:
    """The inverse of `split_weights`."""
    return {_UNET + name: value for name, value in unet.items()} | {
        _IMAGE_ENCODER + name: value for name, value in image_encoder.items()
    }


def first_weights(settings: DenoiserSettings) -> Weights:
    """Random, but for the last layer of the UNet and of every transformer, which begin at zero."""
    unet = random_weights(UNetSpatioTemporal(settings.unet), settings.optimizer.seed)
    unet = {
        name: 0 * value if any(layer in name.split(".") for layer in _LAST_LAYERS) else value
        for name, value in unet.items()
    }
    return joined_weights(unet, random_weights(ImageEncoder(settings.image_encoder), settings.optimizer.seed + 1))


def denoiser_loss(weights: Weights, batch: Encoded, key: PRNGKeyArray, settings: DenoiserSettings) -> Float[Array, ""]:
    """Squared error of v, which weighs x0's error by (sigma^2 + 1) / sigma^2.

    The networks compute in the dtype of their weights.

    Args:
        weights: of both networks.
        batch: latents [b, f, h, w, c] in the denoiser's units, given [b, h, w, c] unscaled, pixels [b, s, s, 3].
        key: of noise and noise level, and of what is dropped.
        settings: of the denoiser.
    """
    x0, given, pixels = map(jnp.asarray, batch)
    b = len(x0)
    for_sigma, for_noise, for_drop = jax.random.split(key, 3)
    mean, deviation = settings.log_sigma
    log_sigma = mean + deviation * jax.random.normal(for_sigma, (b,))
    sigma = jnp.exp(log_sigma)[:, None, None, None, None]
    noise = jax.random.normal(for_noise, x0.shape)

    unet, image_encoder = split_weights(weights)
    dtype = unet["conv_in.weight"].dtype
    embedding = bind(ImageEncoder(settings.image_encoder), image_encoder)(pixels.astype(dtype))
    draw = jax.random.uniform(for_drop, (b,))
    no_picture = draw < settings.drop_both
    no_embedding = draw < settings.drop_both + settings.drop_embedding
    embedding = jnp.where(no_embedding[:, None], 0, embedding)
    given = jnp.where(no_picture[:, None, None, None], 0, given)

    scaled = (x0 + sigma * noise) / jnp.sqrt(sigma**2 + 1)
    told = jnp.broadcast_to(given[:, None], (b, x0.shape[1], *given.shape[1:]))
    time_ids = jnp.array([ConditioningSettings().fps - 1, SVDSettings().motion_bucket, NOISE_AUGMENTATION], jnp.float32)
    v = bind(UNetSpatioTemporal(settings.unet), unet)(
        jnp.concatenate([scaled, told], axis=-1).astype(dtype),
        0.25 * log_sigma,
        embedding[:, None],
        jnp.tile(time_ids, (b, 1)),
    )
    return jnp.mean((v.astype(jnp.float32) - (noise - sigma * x0) / jnp.sqrt(sigma**2 + 1)) ** 2)


def draw_batch(data: Encoded, key: PRNGKeyArray, size: int, filled: ArrayLike | None = None) -> Encoded:
    """Clips forwards or backwards, of the first `filled` (None: of all)."""
    filled = len(data.latents) if filled is None else filled
    clip, end = jax.random.randint(key, (2, size), 0, jnp.array([filled, 2])[:, None])
    latents = data.latents[clip]
    latents = jnp.where(end[:, None, None, None, None] > 0, latents[:, ::-1], latents)
    return Encoded(latents, data.given[clip, end], data.pixels[clip, end])  # pyright: ignore


def train_denoiser(folder: Path, first: Weights, clips: Encoded, scale: float, settings: TrainSettings) -> Weights:
    """Train from the weights `first`, or go on, or find it done; weights of both networks."""
    own = settings.denoiser

    def loss(weights: Weights, data: Encoded, key: PRNGKeyArray, size: int) -> Array:
        for_batch, for_loss = jax.random.split(key)
        return denoiser_loss(weights, spread(draw_batch(data, for_batch, size)), for_loss, own)

    last = settings.clips.count
    scaled = clips._replace(latents=clips.latents * np.float32(scale))
    data = jax.tree.map(lambda array: jnp.asarray(array[:last]), scaled)
    held_out = jax.tree.map(lambda array: jnp.asarray(array[last:]), scaled)
    state = first_state(first, own.optimizer)
    return train(folder, state, loss, data, held_out, own.optimizer, save_every=settings.save_every)


def denoiser_stage(folder: Path, vae: Weights, scale: float, settings: TrainSettings, span: Span) -> Stage:
    """The same training, for minutes.

    Args:
        folder: of the stage.
        vae: the weights that clips are encoded with.
        scale: what latents are multiplied by.
        settings: of everything.
        span: its time.
    """
    own, minutes = settings.denoiser, settings.by_minutes

    def loss(weights: Weights, pool: Pool, key: PRNGKeyArray, size: int) -> Array:
        for_batch, for_loss = jax.random.split(key)
        batch = spread(draw_batch(pool.kept, for_batch, size, pool.filled))
        return denoiser_loss(weights, batch._replace(latents=scale * batch.latents), for_loss, own)

    return Stage(
        folder=folder,
        loss=loss,
        make=encode_by_number(settings),
        fixed=vae,
        held_out=lambda: whole(encoded_held_out(settings, vae)),
        optimizer=own.optimizer,
        batch=minutes.denoiser_batch,
        span=span,
    )


def latent_scale(clips: Encoded, settings: TrainSettings) -> float:
    """What latents are multiplied by for the denoiser, so that their standard deviation is 1."""
    return float(1 / clips.latents[: settings.clips.count].std(dtype=np.float64))
