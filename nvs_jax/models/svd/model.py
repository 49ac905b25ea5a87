"""An SVD ready for use: what the pipeline asks of a video model.

Another family of models offers the same few members: `frames`, `multiple`, `codec`, `condition`.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.models.svd.codec import SVDCodec
from nvs_jax.models.svd.config import ImageEncoderConfig
from nvs_jax.models.svd.denoiser import SVDDenoiser
from nvs_jax.models.svd.image_encoder import ImageEncoder
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.models.svd.preprocess import preprocess
from nvs_jax.models.weights import Weights, bind
from nvs_jax.settings import ConditioningSettings


@dataclass(frozen=True)
class SVD:
    """Stable Video Diffusion: three networks and how they are used together."""

    networks: SVDNetworks

    @property
    def frames(self) -> int:
        """How many frames it was trained on."""
        return self.networks.unet_config.num_frames

    @property
    def latent_multiple(self) -> int:
        """Rows and columns of latent cells must be divisible by this."""
        return self.networks.unet_config.stride

    @property
    def multiple(self) -> int:
        """Rows and columns of pixels must be divisible by this."""
        return self.networks.vae_config.stride * self.latent_multiple

    def codec(self, settings: ConditioningSettings, chunk: int = 8) -> SVDCodec:
        """The VAE; `chunk` frames are decoded together."""
        config = self.networks.vae_config
        own = 1 / config.scaling_factor
        return SVDCodec(
            self.networks.vae, own if settings.target_scale is None else settings.target_scale, config, chunk
        )

    def condition(
        self,
        picture: Float[Array, "H W 3"],
        noise: Float[Array, "H W 3"],
        frames: int,
        settings: ConditioningSettings,
    ) -> tuple[SVDDenoiser, Float[Array, "h w c"]]:
        """Tell the model which picture the video begins with.

        Args:
            picture: in [0, 1].
            noise: N(0, 1); `settings.noise_aug` times it is added to the picture in [-1, 1].
            frames: of the video.
            settings: what else the model is told.

        Returns:
            the denoiser, and the picture's latent in the denoiser's units.
        """
        networks, codec = self.networks, self.codec(settings)
        latent = _encode_noisy(codec, picture, noise, settings.noise_aug)
        embedding = self.embed(picture)
        denoiser = SVDDenoiser(
            weights=networks.unet,
            image_latent=latent[None],
            embedding=embedding[None],
            time_ids=jnp.array([settings.fps - 1, settings.motion_bucket, settings.noise_aug], jnp.float32),
            guidance_scale=jnp.linspace(*settings.guidance_scale, frames),
            config=networks.unet_config,
            mixed_context=settings.mixed_context,
        )
        return denoiser, latent / codec.target_scale

    def embed(self, picture: Float[Array, "H W 3"]) -> Float[Array, "d"]:
        """The image encoder's embedding of a picture in [0, 1]."""
        return _embed(self.networks.image_encoder, picture, self.networks.image_encoder_config)


@jax.jit
def _encode_noisy(codec: SVDCodec, picture: Array, noise: Array, level: Array | float) -> Array:
    return codec.encode_unscaled((2 * picture - 1 + level * noise)[None])[0]


@partial(jax.jit, static_argnames="config")
def _embed(weights: Weights, picture: Array, config: ImageEncoderConfig) -> Array:
    dtype = weights["visual_projection.weight"].dtype
    pixels = preprocess(picture, config.image_size)[None]
    return bind(ImageEncoder(config), weights)(pixels.astype(dtype))[0].astype(jnp.float32)
