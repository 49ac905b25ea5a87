"""An SVD ready for use: what the pipeline asks of a video model, answered by three networks."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.geometry import Warp, fill_holes
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.clip.image_encoder import ImageEncoder
from nvs_jax.models.clip.preprocess import preprocess
from nvs_jax.models.contract import Lattice, PictureEncoder
from nvs_jax.models.networks import Networks
from nvs_jax.models.svd.codec import SVDCodec
from nvs_jax.models.svd.config import UNetConfig, VAEConfig
from nvs_jax.models.svd.denoiser import SVDDenoiser
from nvs_jax.models.svd.vae.tiling import Tiles, tiles_of_pixels
from nvs_jax.models.weights import Weights, bind
from nvs_jax.settings import Holes, RenderSettings
from nvs_jax.sharding import constrain


class Seen(NamedTuple):
    """What SVD is told of the picture a video begins with.

    Attributes:
        latent: unscaled, of the picture with a little noise: of each of b videos.
        embedding: the image encoder's, of all.
    """

    latent: Float[Array, "b h w c"]
    embedding: Float[Array, "1 d"]


def lattice_of(unet: UNetConfig, vae: VAEConfig) -> Lattice:
    """What networks of these configurations take; every frame has its latent."""
    return Lattice(vae.stride, unet.stride, frame_step=1, channels=vae.latent_channels, frames=unet.num_frames)


@dataclass(frozen=True)
class SVD:
    """Stable Video Diffusion: three networks and how they are used together. See `VideoModel`.

    Attributes:
        networks: UNet, VAE and image encoder.
        settings: conditioning, svd, memory and decode_chunk are used.
    """

    networks: Networks
    settings: RenderSettings = field(default_factory=RenderSettings)

    sigma_scale = 700.0
    """The largest noise level it was trained on, by which the paper's v2 is meant."""
    encodings = 1
    defaults = RenderSettings()
    family = "svd"

    @property
    def lattice(self) -> Lattice:
        """See `VideoModel`."""
        return lattice_of(self.networks.configs["unet"], self.networks.configs["vae"])

    @property
    def latent_scale(self) -> float:
        """See `VideoModel`; the published one is 1 / 0.18215."""
        return 1 / self.networks.configs["vae"].scaling_factor

    def told(self, settings: RenderSettings) -> "SVD":
        """See `VideoModel`.

        Raises:
            InputError: tiles whose size is not a multiple of the VAE's stride.
        """
        told = replace(self, settings=settings)
        _ = told.tiles
        return told

    @property
    def tiles(self) -> Tiles | None:
        """Of the VAE, in latent cells; None for whole pictures."""
        memory = self.settings.memory
        return tiles_of_pixels(memory.tile, memory.tile_overlap, self.networks.configs["vae"].stride)

    def look(self, picture: Float[Array, "H W 3"], noise: Float[Array, "b H W 3"], warp: Warp) -> Seen:
        """See `VideoModel`; `svd.noise_aug` times the noise is added to the picture in [-1, 1]."""
        embedding = jax.block_until_ready(self.embed(picture))  # the encoder may be freed when the VAE is asked for
        return Seen(_encode_noisy(self.codec(), picture, noise, self.settings.svd.noise_aug), embedding[None])

    def embed(self, picture: Float[Array, "H W 3"]) -> Float[Array, "d"]:
        """The image encoder's embedding of a picture in [0, 1]."""
        return _embed(self.networks.weights("image_encoder"), picture, self.networks.configs["image_encoder"])

    def encode_views(self, seen: Seen, picture: Float[Array, "H W 3"], warp: Warp) -> WarpedViews:
        """See `VideoModel`. As the release, the first frame is the given latent, with its noise."""
        codec = self.codec()
        return _encode_views(codec, seen.latent / codec.target_scale, warp, self.settings.conditioning.holes)

    def codec(self) -> SVDCodec:
        """The VAE."""
        scale = self.settings.svd.target_scale
        return SVDCodec(
            weights=self.networks.weights("vae"),
            target_scale=self.latent_scale if scale is None else scale,
            config=self.networks.configs["vae"],
            chunk=self.settings.decode_chunk,
            tiles=self.tiles,
            decode_dtype=self.settings.memory.vae_dtype,
        )

    def denoiser(self, seen: Seen, frames: int) -> SVDDenoiser:
        """The UNet, told which picture the video begins with; see `VideoModel`."""
        told, own = self.settings.conditioning, self.settings.svd
        return SVDDenoiser(
            weights=self.networks.weights("unet"),
            image_latent=seen.latent,
            embedding=seen.embedding,
            time_ids=jnp.array([told.fps - 1, own.motion_bucket, own.noise_aug], jnp.float32),
            guidance_scale=jnp.linspace(*told.guidance_scale, frames),
            guided=told.guidance_scale != (1.0, 1.0),
            interval=None if told.guidance_interval is None else jnp.array(told.guidance_interval),
            config=self.networks.configs["unet"],
            mixed_context=own.mixed_context,
            sequential=self.settings.memory.sequential_guidance,
        )

    @property
    def picture_encoder(self) -> PictureEncoder:
        """CLIP if it has the published size: one that was trained along with a small UNet owes nobody similar
        embeddings of similar pictures."""
        published = ImageEncoderConfig().projection_dim
        return PictureEncoder(self.embed, self.networks.configs["image_encoder"].projection_dim == published)


@jax.jit
def _encode_noisy(codec: SVDCodec, picture: Array, noise: Array, level: Array | float) -> Array:
    return constrain(codec.encode_unscaled(2 * picture - 1 + level * noise), "replicated")


@partial(jax.jit, static_argnames="config")
def _embed(weights: Weights, picture: Array, config: ImageEncoderConfig) -> Array:
    dtype = weights["visual_projection.weight"].dtype
    pixels = preprocess(picture, config.image_size)[None]
    embedding = bind(ImageEncoder(config), weights)(pixels.astype(dtype))[0]
    return constrain(embedding.astype(jnp.promote_types(dtype, jnp.float32)), "replicated")


@partial(jax.jit, static_argnames="content")
def _encode_views(codec: SVDCodec, given: Float[Array, "b h w c"], warp: Warp, content: Holes) -> WarpedViews:
    """X^ of b videos and its holes; the first frame is the given view itself, without holes."""
    latents = codec.encode(fill_holes(warp.pictures, warp.unseen) if content == "filled" else warp.condition)
    others = jnp.broadcast_to(latents, (len(given), *latents.shape))
    holes = codec.pool_mask(warp.hole)
    known = None
    if warp.visible is not None:
        known = codec.pool_visible(warp.visible)
        known = constrain(jnp.concatenate([jnp.ones_like(known[:1]), known])[None], "replicated")
    return WarpedViews(
        target=constrain(jnp.concatenate([given[:, None], others], axis=1), "replicated"),
        hole=constrain(jnp.concatenate([jnp.zeros_like(holes[:1]), holes])[None], "replicated"),
        known=known,
    )
