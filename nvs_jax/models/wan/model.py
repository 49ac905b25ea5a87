"""A Wan ready for use: what the pipeline asks of a video model, answered by its networks."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.errors import InputError
from nvs_jax.geometry import Warp, fill_holes
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.clip.image_encoder import TokenEncoder
from nvs_jax.models.clip.preprocess import preprocess
from nvs_jax.models.contract import Lattice
from nvs_jax.models.networks import Networks
from nvs_jax.models.wan.codec import WanCodec
from nvs_jax.models.wan.conditions import first_picture, warps_and_holes
from nvs_jax.models.wan.denoiser import WanDenoiser
from nvs_jax.models.wan.lattice import is_image_to_video, lattice_of, videos_of
from nvs_jax.models.wan.prompts import embeddings_of, texts_of
from nvs_jax.models.weights import Weights, bind
from nvs_jax.settings import ConditioningSettings, Holes, PictureSettings, RenderSettings, ScheduleSettings
from nvs_jax.sharding import constrain


class Seen(NamedTuple):
    """What Wan is told of a video.

    Attributes:
        latent: of the picture it begins with.
        prompts: embeddings of what is not wanted of it and of what is.
        beside: of image-to-video models: which frames are given, and their latents.
        control: of VACE's: warps, and their holes.
        tokens: of models that are told of the picture in tokens: CLIP's.
    """

    latent: Float[Array, "h w c"]
    prompts: Float[Array, "2 s d"]
    beside: Float[Array, "1 f h w k"] | None
    control: Float[Array, "1 f h w k"] | None
    tokens: Float[Array, "1 t e"] | None


@dataclass(frozen=True)
class Wan:
    """Wan2.1's text-to-video, image-to-video and VACE models, and Wan2.2's TI2V: networks and how they are used
    together. See `VideoModel`.

    The video begins with the given picture, whatever the noise level: the first latent frame of every estimate is its
    latent.

    Attributes:
        networks: transformer, VAE, the embeddings of prompts, and of image-to-video models the image encoder.
        settings: conditioning, wan and memory are used.
    """

    networks: Networks
    settings: RenderSettings = field(default_factory=RenderSettings)

    family = "wan"
    sigma_scale = 700.0
    """SVD's, by which the paper's v2 is meant: this model's own schedules end at infinity."""
    latent_scale = None
    picture_encoder = None

    @property
    def defaults(self) -> RenderSettings:
        """See `VideoModel`."""
        videos = videos_of(self.networks.configs["vae"])
        return RenderSettings(
            schedule=ScheduleSettings(kind="flow", steps=50, sigma_max=999 * videos.shift),
            conditioning=ConditioningSettings(fps=videos.fps, guidance_scale=(5.0, 5.0)),
            picture=PictureSettings(max_pixels=videos.rows * videos.columns),
        )

    @property
    def encodings(self) -> int:
        """See `VideoModel`: the warps, what image-to-video models see, and both that VACE sees."""
        transformer = self.networks.configs["transformer"]
        return 1 + is_image_to_video(transformer) + 2 * bool(transformer.vace_layers)

    @property
    def lattice(self) -> Lattice:
        """See `VideoModel`."""
        return lattice_of(self.networks.configs)

    def told(self, settings: RenderSettings) -> "Wan":
        """See `VideoModel`.

        Raises:
            InputError: a prompt that is not kept, and no text encoder; or tiles are asked for.
        """
        if settings.memory.tile is not None:
            raise InputError("memory.tile: this model's VAE works on whole pictures; leave it out")
        told = replace(self, settings=settings)
        _ = told.texts  # which refuses what nothing embeds
        return told

    @property
    def texts(self) -> tuple[str, str]:
        """What is not wanted of videos, and what is."""
        own = self.settings.wan
        return texts_of(self.networks.configs["prompts"], own.prompt, own.negative_prompt)

    def look(self, picture: Float[Array, "H W 3"], noise: Float[Array, "b H W 3"], warp: Warp) -> Seen:
        """See `VideoModel`; the prompts belong to it, so that the denoiser needs the transformer alone."""
        kept = self.networks.weights("prompts")
        # All of it there, for the prompts may be freed when the VAE is asked for.
        prompts = jax.block_until_ready(embeddings_of(self.networks.configs["prompts"], kept, self.texts))
        transformer, tokens = self.networks.configs["transformer"], None
        if transformer.image_dim is not None:
            config, weights = self.networks.configs["image_encoder"], self.networks.weights("image_encoder")
            tokens = jax.block_until_ready(_tokens(weights, picture, config))
        codec, beside, control = self.codec(), None, None
        if is_image_to_video(transformer):
            beside = _first_picture(codec, picture, len(warp.pictures) + 1)
        if transformer.vace_layers:
            control = _warps_and_holes(codec, picture, warp)
        return Seen(_encode(codec, picture), prompts, beside, control, tokens)

    def encode_views(self, seen: Seen, picture: Float[Array, "H W 3"], warp: Warp) -> WarpedViews:
        """See `VideoModel`: the whole video, which begins with the picture, at once."""
        return _encode_views(self.codec(), picture, warp, self.settings.conditioning.holes)

    def codec(self) -> WanCodec:
        """The VAE."""
        return WanCodec(
            self.networks.weights("vae"), self.networks.configs["vae"], decode_dtype=self.settings.memory.vae_dtype
        )

    def denoiser(self, seen: Seen, frames: int) -> WanDenoiser:
        """The transformer, told the prompts and which picture the video begins with; see `VideoModel`."""
        told, configs = self.settings.conditioning, self.networks.configs
        latents = self.lattice.latent_shape(frames, 0, 0)[0]
        return WanDenoiser(
            weights=self.networks.weights("transformer"),
            given=seen.latent[None],
            prompts=seen.prompts,
            guidance_scale=jnp.linspace(*told.guidance_scale, latents),
            config=configs["transformer"],
            beside=seen.beside,
            control=seen.control,
            tokens=seen.tokens,
            clean_first=configs["vae"].is_residual,
            sequential=self.settings.memory.sequential_guidance,
            interval=None if told.guidance_interval is None else jnp.array(told.guidance_interval),
            guided=told.guidance_scale != (1.0, 1.0),
        )


@jax.jit
def _encode(codec: WanCodec, picture: Float[Array, "H W 3"]) -> Float[Array, "h w c"]:
    return constrain(codec.encode(picture[None])[0], "replicated")


@partial(jax.jit, static_argnames="frames")
def _first_picture(codec: WanCodec, picture: Float[Array, "H W 3"], frames: int) -> Float[Array, "1 f h w k"]:
    return constrain(first_picture(codec, picture, frames), "replicated")


@jax.jit
def _warps_and_holes(codec: WanCodec, picture: Float[Array, "H W 3"], warp: Warp) -> Float[Array, "1 f h w k"]:
    return constrain(warps_and_holes(codec, picture, warp), "replicated")


@partial(jax.jit, static_argnames="config")
def _tokens(weights: Weights, picture: Float[Array, "H W 3"], config: ImageEncoderConfig) -> Float[Array, "1 t e"]:
    dtype = weights["vision_model.embeddings.class_embedding"].dtype
    pixels = preprocess(picture, config.image_size, plain=True)[None]
    return constrain(bind(TokenEncoder(config), weights)(pixels.astype(dtype)), "replicated")


@partial(jax.jit, static_argnames="content")
def _encode_views(codec: WanCodec, picture: Float[Array, "H W 3"], warp: Warp, content: Holes) -> WarpedViews:
    views = fill_holes(warp.pictures, warp.unseen) if content == "filled" else warp.condition
    holes = jnp.concatenate([jnp.zeros_like(warp.hole[:1]), warp.hole])
    known = None
    if warp.visible is not None:
        visible = jnp.concatenate([jnp.ones_like(warp.visible[:1]), warp.visible])
        known = constrain(codec.pool_visible(visible)[None], "replicated")
    return WarpedViews(
        target=constrain(codec.encode(jnp.concatenate([picture[None], views]))[None], "replicated"),
        hole=constrain(codec.pool_mask(holes)[None], "replicated"),
        known=known,
    )
