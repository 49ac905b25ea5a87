"""Train the VAE on crops of clips, and turn clips into latents with it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PRNGKeyArray, UInt8
from tqdm import tqdm

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.evaluation.records import weights_digest
from nvs_jax.models.clip.preprocess import preprocess
from nvs_jax.models.networks import Weightless
from nvs_jax.models.svd.config import VAEConfig
from nvs_jax.models.svd.vae.network import VAE
from nvs_jax.models.weights import Weights, bind
from scripts.train.clips import Clips
from scripts.train.clock import Span
from scripts.train.loop import first_state, spread, train
from scripts.train.pool import Pool, clips_by_number, held_out_clips, whole
from scripts.train.settings import CodecSettings, TrainSettings
from scripts.train.stage import Stage

NOISE_AUGMENTATION = 0.02


class Encoded(NamedTuple):
    """Clips as the denoiser is trained on them.

    Attributes:
        latents: of every frame, unscaled.
        given: of the first and the last frame with noise added, unscaled: what the model is told.
        pixels: the same two frames as the image encoder sees them.
    """

    latents: Float[np.ndarray, "n f h w c"]
    given: Float[np.ndarray, "n 2 h w c"]
    pixels: Float[np.ndarray, "n 2 s s 3"]


def codec_loss(
    weights: Weights, pictures: Float[Array, "b f H W 3"], key: PRNGKeyArray, settings: CodecSettings
) -> Float[Array, ""]:
    """Squared error of what comes back, and the latents' divergence from N(0, 1); pictures in [-1, 1].

    Some crops have another's latents in a part of them, where the error does not count: what a sampler invents in a
    hole must not change the pixels around it. The network computes in the dtype of its weights.
    """
    vae, dtype = bind(VAE(settings.config), weights), weights["encoder.conv_in.weight"].dtype
    moments = vae.encode_moments(pictures.reshape(-1, *pictures.shape[2:]).astype(dtype))
    mean, log_variance = (moment.astype(jnp.float32) for moment in moments)
    for_noise, for_others = jax.random.split(key)
    latents = mean + jnp.exp(log_variance / 2) * jax.random.normal(for_noise, mean.shape)
    latents = latents.reshape(*pictures.shape[:2], *latents.shape[1:])
    batch, _, h, w, _ = latents.shape
    others = random_rectangles(for_others, batch, (h, w), settings.of_another)[:, None, ..., None]
    latents = jnp.where(others, jax.lax.stop_gradient(jnp.roll(latents, 1, axis=0)), latents)
    decoded = vae.decode(latents.astype(dtype)).astype(jnp.float32)
    stride = settings.config.stride
    counted = jnp.broadcast_to(~others.repeat(stride, 2).repeat(stride, 3), pictures.shape)
    kl = (mean**2 + jnp.exp(log_variance) - 1 - log_variance) / 2
    return jnp.mean((decoded - pictures) ** 2, where=counted) + settings.divergence * jnp.mean(kl)


def random_rectangles(key: PRNGKeyArray, count: int, size: tuple[int, int], share: float) -> Bool[Array, "n h w"]:
    """Rectangles of a quarter to three quarters of both sides, anywhere, in about a `share` of `count` fields."""
    for_sides, for_corners, for_whether = jax.random.split(key, 3)
    whole = jnp.asarray(size)
    sides = jnp.round(whole * jax.random.uniform(for_sides, (count, 2), minval=0.25, maxval=0.75))
    corners = jnp.round((whole - sides) * jax.random.uniform(for_corners, (count, 2)))
    rows, columns = (
        (jnp.arange(n) >= corners[:, axis, None]) & (jnp.arange(n) < (corners + sides)[:, axis, None])
        for axis, n in enumerate(size)
    )
    wanted = jax.random.bernoulli(for_whether, share, (count,))
    return wanted[:, None, None] & rows[:, :, None] & columns[:, None, :]


def random_crops(
    clips: UInt8[Array, "n f H W 3"], key: PRNGKeyArray, size: int, settings: CodecSettings, filled: ArrayLike
) -> Float[Array, "b g h w 3"]:
    """A batch of crops in space and time, of the first `filled` clips, in [-1, 1]."""
    _, frames, height, width, _ = clips.shape
    rows, columns = settings.crop
    limits = jnp.array([filled, frames - settings.frames + 1, height - rows + 1, width - columns + 1])
    corners = jax.random.randint(key, (size, 4), 0, limits)

    def crop(corner: Array) -> Array:
        return jax.lax.dynamic_slice(clips, (*corner, 0), (1, settings.frames, rows, columns, 3))[0]

    return jax.vmap(crop)(corners) / 127.5 - 1


def train_codec(folder: Path, first: Weights, clips: Clips, settings: TrainSettings) -> Weights:
    """Train from the weights `first`, or go on, or find it done."""
    own = settings.codec

    def loss(weights: Weights, data: Array, key: PRNGKeyArray, size: int) -> Array:
        for_crops, for_latents = jax.random.split(key)
        crops = spread(random_crops(data, for_crops, size, own, len(data)))
        return codec_loss(weights, crops, for_latents, own)

    last = settings.clips.count
    state = first_state(first, own.optimizer)
    data, held_out = jnp.asarray(clips[:last]), jnp.asarray(clips[last:])
    return train(folder, state, loss, data, held_out, own.optimizer, save_every=settings.save_every)


def codec_stage(folder: Path, settings: TrainSettings, span: Span) -> Stage:
    """The same training, for minutes."""
    own, minutes = settings.codec, settings.by_minutes
    render = clips_by_number(settings.clips, minutes.together)

    def loss(weights: Weights, pool: Pool, key: PRNGKeyArray, size: int) -> Array:
        for_crops, for_latents = jax.random.split(key)
        crops = spread(random_crops(pool.kept, for_crops, size, own, pool.filled))
        return codec_loss(weights, crops, for_latents, own)

    return Stage(
        folder=folder,
        loss=loss,
        make=lambda numbers, _: render(numbers),
        fixed=(),
        held_out=lambda: whole(held_out_clips(settings.clips, minutes.together)),
        optimizer=own.optimizer,
        batch=minutes.codec_batch,
        span=span,
    )


@partial(jax.jit, static_argnames=("config", "image_size"))
def _encode(
    weights: Weights, clip: UInt8[Array, "f H W 3"], key: PRNGKeyArray, config: VAEConfig, image_size: int
) -> Encoded:
    vae = bind(VAE(config), weights)
    pictures = clip / 255.0
    ends = pictures[jnp.array([0, -1])]
    noise = NOISE_AUGMENTATION * jax.random.normal(key, ends.shape)
    latents = vae.encode(spread(jnp.concatenate([2 * pictures - 1, 2 * ends - 1 + noise])))
    return Encoded(latents[:-2], latents[-2:], preprocess(ends, image_size))  # pyright: ignore


def encode_by_number(settings: TrainSettings) -> Callable[[Int[Array, "k"], Weights], Encoded]:
    """Clips by their numbers, rendered and encoded with the VAE's weights."""
    config, image_size = settings.codec.config, settings.denoiser.image_encoder.image_size
    render = clips_by_number(settings.clips, settings.by_minutes.together)

    def make(numbers: Array, vae: Weights) -> Encoded:
        return jax.lax.map(
            lambda entry: _encode(vae, entry[0], jax.random.key(entry[1]), config, image_size),
            (render(numbers), numbers),
            batch_size=min(settings.by_minutes.together, len(numbers)),
        )

    return make


def encoded_held_out(settings: TrainSettings, vae: Weights) -> Encoded:
    """The held-out clips, rendered and encoded."""
    clips = held_out_clips(settings.clips, settings.by_minutes.together)
    config, image_size = settings.codec.config, settings.denoiser.image_encoder.image_size
    parts = [_encode(vae, clip, jax.random.key(index), config, image_size) for index, clip in enumerate(clips)]
    return Encoded(*(jnp.stack(part) for part in zip(*parts, strict=True)))  # pyright: ignore


def encoded_clips(folder: Path, weights: Weights, clips: Clips, settings: TrainSettings) -> Encoded:
    """Latents of all clips, made once.

    Raises:
        InputError: those in the folder are another VAE's.
    """
    path, vae = folder / "latents.npz", weights_digest(Weightless({"vae": settings.codec.config}, {"vae": weights}))
    if not path.exists():
        config, image_size = settings.codec.config, settings.denoiser.image_encoder.image_size
        parts = [
            jax.tree.map(np.asarray, _encode(weights, clip, jax.random.key(index), config, image_size))
            for index, clip in enumerate(tqdm(clips, desc="latents"))
        ]
        with atomic_path(path) as partial_path, partial_path.open("wb") as file:
            np.savez(file, vae=vae, **Encoded(*map(np.stack, zip(*parts, strict=True)))._asdict())
    with np.load(path, allow_pickle=False) as stored:
        if "vae" not in stored or str(stored["vae"]) != vae:
            raise InputError(f"{path} was made with another VAE: take another folder")
        return Encoded(*(stored[name] for name in Encoded._fields))
