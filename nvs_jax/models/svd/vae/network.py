"""SVD's VAE: a picture encoder and a video decoder, and both a chunk or a tile at a time to bound their memory."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.layers import Conv
from nvs_jax.models.svd.config import VAEConfig
from nvs_jax.models.svd.vae.decoder import TemporalDecoder
from nvs_jax.models.svd.vae.encoder import Encoder
from nvs_jax.models.svd.vae.tiling import Tiles, in_tiles


class VAE(nnx.Module):
    """`AutoencoderKLTemporalDecoder`.

    Pictures are in [-1, 1]. Latents are unscaled: the denoiser's, divided by the configuration's `scaling_factor`.
    Encode in float32: in float16 the published weights overflow. Decoding in bfloat16 keeps 40 dB and more.
    """

    def __init__(self, config: VAEConfig):
        self.encoder = Encoder(config)
        self.decoder = TemporalDecoder(config)
        self.quant_conv = Conv(2 * config.latent_channels, 2 * config.latent_channels, (1, 1))
        self.stride = config.stride

    def encode(self, pictures: Float[Array, "n H W i"]) -> Float[Array, "n h w c"]:
        """The most likely latent of each picture.

        Args:
            pictures: in [-1, 1]; rows and columns divisible by the configuration's `stride`.
        """
        return self.encode_moments(pictures)[0]

    def encode_moments(
        self, pictures: Float[Array, "n H W i"]
    ) -> tuple[Float[Array, "n h w c"], Float[Array, "n h w c"]]:
        """Mean and log-variance of each picture's latent; the log-variance is clipped to [-30, 20]."""
        mean, log_variance = jnp.split(self.quant_conv(self.encoder(pictures)), 2, axis=-1)
        return mean, jnp.clip(log_variance, -30, 20)

    def decode(self, latents: Float[Array, "b f h w c"]) -> Float[Array, "b f H W o"]:
        """Pictures, about in [-1, 1], of latents; all f frames are one temporal group."""
        return self.decoder(latents)


def encode_chunks(
    vae: VAE, pictures: Float[Array, "n H W i"], chunk: int = 8, tiles: Tiles | None = None
) -> Float[Array, "n h w c"]:
    """`vae.encode`, `chunk` pictures at a time: the same result in the memory of one chunk.

    Args:
        vae: bound to its weights.
        pictures: in [-1, 1].
        chunk: pictures at a time.
        tiles: None for whole pictures; see `nvs_jax.models.svd.vae.tiling` for what tiles change.

    Raises:
        InputError: `chunk` is not positive.
    """

    def encode(part: Float[Array, "1 n H W i"]) -> Float[Array, "1 n h w c"]:
        return vae.encode(part[0])[None]

    def encode_tiles(part: Float[Array, "1 n H W i"]) -> Float[Array, "1 n h w c"]:
        assert tiles is not None
        stride = vae.stride
        return in_tiles(encode, part, (tiles.rows * stride, tiles.columns * stride), tiles.overlap * stride)

    return _in_chunks(encode if tiles is None else encode_tiles, pictures[None], chunk)[0]


def decode_chunks(
    vae: VAE, latents: Float[Array, "b f h w c"], chunk: int = 8, tiles: Tiles | None = None
) -> Float[Array, "b f H W o"]:
    """`vae.decode`, `chunk` frames at a time, as the release: 25 frames are decoded as 8, 8, 8 and 1.

    Each chunk is a temporal group of its own, so that the result depends on `chunk`: frames of different chunks do not
    see each other, and a chunk of one frame is decoded as a still picture.

    Args:
        vae: bound to its weights.
        latents: unscaled.
        chunk: frames at a time.
        tiles: None for whole frames; see `nvs_jax.models.svd.vae.tiling` for what tiles change.

    Raises:
        InputError: `chunk` is not positive.
    """

    def decode_tiles(part: Float[Array, "b n h w c"]) -> Float[Array, "b n H W o"]:
        assert tiles is not None
        return in_tiles(vae.decode, part, (tiles.rows, tiles.columns), tiles.overlap)

    return _in_chunks(vae.decode if tiles is None else decode_tiles, latents, chunk)


def _in_chunks(
    function: Callable[[Array], Array], x: Float[Array, "b f h w c"], chunk: int
) -> Float[Array, "b f H W o"]:
    """`function` of every `chunk` consecutive frames, one after the other; a shorter remainder comes last."""
    if chunk < 1:
        raise InputError(f"the VAE works on chunks of at least one frame, not {chunk}")
    batch, frames, *size = x.shape
    whole = frames - frames % chunk
    parts = []
    if whole:
        stacked = x[:, :whole].reshape(batch, -1, chunk, *size).swapaxes(0, 1)
        done = jax.lax.map(function, stacked).swapaxes(0, 1)
        parts.append(done.reshape(batch, whole, *done.shape[3:]))
    if whole < frames:
        parts.append(function(x[:, whole:]))
    return jnp.concatenate(parts, axis=1)
