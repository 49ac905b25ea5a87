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
from nvs_jax.models.contract import Lattice
from nvs_jax.models.networks import Networks
from nvs_jax.models.wan.codec import WanCodec
from nvs_jax.models.wan.config import TransformerConfig, VAEConfig
from nvs_jax.models.wan.denoiser import WanDenoiser
from nvs_jax.models.wan.prompts import embeddings_of, texts_of
from nvs_jax.settings import ConditioningSettings, Holes, PictureSettings, RenderSettings, ScheduleSettings
from nvs_jax.sharding import constrain


class Videos(NamedTuple):
    """What a model was trained on, and is sampled as: frames, rows and columns, frames a second, shift of the flow."""

    frames: int
    rows: int
    columns: int
    fps: int
    shift: float


WAN_2_1, WAN_2_2 = Videos(81, 480, 832, 16, 3.0), Videos(121, 704, 1280, 24, 5.0)


class Seen(NamedTuple):
    """What Wan is told of a video.

    Attributes:
        latent: of the picture it begins with.
        prompts: embeddings of what is not wanted of it and of what is.
    """

    latent: Float[Array, "h w c"]
    prompts: Float[Array, "2 s d"]


def lattice_of(transformer: TransformerConfig, vae: VAEConfig) -> Lattice:
    """What networks of these configurations take: four frames share a latent after the first, two by two cells a token.

    Raises:
        InputError: the transformer is of another kind than the VAE, or has patches that are no squares.
    """
    _, rows, columns = transformer.patch_size
    if transformer.in_channels != vae.z_dim or transformer.vace_layers or rows != columns:
        raise InputError(
            f"a transformer of {transformer.in_channels} channels and {len(transformer.vace_layers)} layers of VACE on "
            f"latents of {vae.z_dim}: this version renders with Wan's models that see text and latents alone"
        )
    return Lattice(vae.stride, rows, frame_step=vae.frame_step, channels=vae.z_dim, frames=videos_of(vae).frames)


def videos_of(vae: VAEConfig) -> Videos:
    """The versions differ in their VAEs."""
    return WAN_2_2 if vae.is_residual else WAN_2_1


@dataclass(frozen=True)
class Wan:
    """Wan2.1's text-to-video model, or Wan2.2's TI2V: networks and how they are used together. See `VideoModel`.

    The video begins with the given picture, whatever the noise level: the first latent frame of every estimate is its
    latent.

    Attributes:
        networks: transformer, VAE and the embeddings of prompts.
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
    def lattice(self) -> Lattice:
        """See `VideoModel`."""
        return lattice_of(self.networks.configs["transformer"], self.networks.configs["vae"])

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
        return Seen(_encode(self.codec(), picture), prompts)

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
            clean_first=configs["vae"].is_residual,
            sequential=self.settings.memory.sequential_guidance,
            interval=None if told.guidance_interval is None else jnp.array(told.guidance_interval),
            guided=told.guidance_scale != (1.0, 1.0),
        )


@jax.jit
def _encode(codec: WanCodec, picture: Float[Array, "H W 3"]) -> Float[Array, "h w c"]:
    return constrain(codec.encode(picture[None])[0], "replicated")


@partial(jax.jit, static_argnames="content")
def _encode_views(codec: WanCodec, picture: Float[Array, "H W 3"], warp: Warp, content: Holes) -> WarpedViews:
    views = fill_holes(warp.condition, warp.hole) if content == "filled" else warp.condition
    holes = jnp.concatenate([jnp.zeros_like(warp.hole[:1]), warp.hole])
    return WarpedViews(
        target=constrain(codec.encode(jnp.concatenate([picture[None], views]))[None], "replicated"),
        hole=constrain(codec.pool_mask(holes)[None], "replicated"),
    )
