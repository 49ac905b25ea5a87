"""An SVD ready for use: what the pipeline asks of a video model.

Another family of models offers the same few members: `frames`, `multiple`, `latent_multiple`, `embed`, `codec`,
`given_latent`, `denoiser`. Each uses one network, so that a model which holds one at a time can be asked in this order.
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
from nvs_jax.models.svd.in_turn import NetworksInTurn
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.models.svd.preprocess import preprocess
from nvs_jax.models.svd.vae_tiling import tiles_of_pixels
from nvs_jax.models.weights import Weights, bind
from nvs_jax.settings import ConditioningSettings, MemorySettings
from nvs_jax.sharding import constrain


@dataclass(frozen=True)
class SVD:
    """Stable Video Diffusion: three networks and how they are used together."""

    networks: SVDNetworks | NetworksInTurn

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

    def embed(self, picture: Float[Array, "H W 3"]) -> Float[Array, "d"]:
        """The image encoder's embedding of a picture in [0, 1]."""
        return _embed(self.networks.image_encoder, picture, self.networks.image_encoder_config)

    def codec(
        self, settings: ConditioningSettings, chunk: int = 8, memory: MemorySettings = MemorySettings()
    ) -> SVDCodec:
        """The VAE.

        Args:
            settings: hold the scale of the warped views' latents.
            chunk: frames decoded together.
            memory: tiles, if it is to work in tiles, and what it decodes in.

        Raises:
            InputError: the tiles' size is not a multiple of the VAE's stride.
        """
        config = self.networks.vae_config
        tiles = tiles_of_pixels(memory.tile, memory.tile_overlap, config.stride)
        scale = 1 / config.scaling_factor if settings.target_scale is None else settings.target_scale
        return SVDCodec(self.networks.vae, scale, config, chunk, tiles, memory.vae_dtype)

    def given_latent(
        self,
        codec: SVDCodec,
        picture: Float[Array, "H W 3"],
        noise: Float[Array, "H W 3"],
        settings: ConditioningSettings,
    ) -> Float[Array, "h w c"]:
        """The latent of the picture the video begins with, unscaled.

        Args:
            codec: this model's.
            picture: in [0, 1].
            noise: N(0, 1); `settings.noise_aug` times it is added to the picture in [-1, 1].
            settings: what else the model is told.
        """
        return _encode_noisy(codec, picture, noise, settings.noise_aug)

    def denoiser(
        self,
        latent: Float[Array, "h w c"],
        embedding: Float[Array, "d"],
        frames: int,
        settings: ConditioningSettings,
        memory: MemorySettings = MemorySettings(),
    ) -> SVDDenoiser:
        """The UNet, told which picture the video begins with.

        Args:
            latent: the picture's, from `given_latent`.
            embedding: the picture's, from `embed`.
            frames: of the video.
            settings: what else the model is told.
            memory: whether the branches of classifier-free guidance are evaluated in turn.
        """
        return SVDDenoiser(
            weights=self.networks.unet,
            image_latent=latent[None],
            embedding=embedding[None],
            time_ids=jnp.array([settings.fps - 1, settings.motion_bucket, settings.noise_aug], jnp.float32),
            guidance_scale=jnp.linspace(*settings.guidance_scale, frames),
            guided=settings.guidance_scale != (1.0, 1.0),
            interval=None if settings.guidance_interval is None else jnp.array(settings.guidance_interval),
            config=self.networks.unet_config,
            mixed_context=settings.mixed_context,
            sequential=memory.sequential_guidance,
        )


@jax.jit
def _encode_noisy(codec: SVDCodec, picture: Array, noise: Array, level: Array | float) -> Array:
    return constrain(codec.encode_unscaled((2 * picture - 1 + level * noise)[None])[0], "replicated")


@partial(jax.jit, static_argnames="config")
def _embed(weights: Weights, picture: Array, config: ImageEncoderConfig) -> Array:
    dtype = weights["visual_projection.weight"].dtype
    pixels = preprocess(picture, config.image_size)[None]
    embedding = bind(ImageEncoder(config), weights)(pixels.astype(dtype))[0].astype(jnp.float32)
    return constrain(embedding, "replicated")
