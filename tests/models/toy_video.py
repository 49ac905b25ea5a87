"""A video model that is no SVD, and simple enough that its answers are known: CONTRIBUTING's "how to add a model".

A flow-matching denoiser of Gaussian data whose mean is the given picture in every frame, and a causal codec that
averages two by two pixels, and four frames after the first.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Annotated

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.geometry import Warp, fill_holes
from nvs_jax.models.contract import Lattice
from nvs_jax.models.families import Family
from nvs_jax.models.layers import parameter
from nvs_jax.models.networks import Networks, Weightless
from nvs_jax.settings import PathSettings, RenderSettings, ScheduleSettings
from nvs_jax.settings.ranges import Between, Ranged
from tests.diffusion.toys import AveragingCodec, FlowMatchingDenoiser


@dataclass(frozen=True)
class ToyConfig:
    channels: int = 3


@dataclass(frozen=True)
class ToySettings(Ranged, group="toy."):
    """What ToyVideo alone is told."""

    exposure: Annotated[float, Between(0, 10)] = 1.0
    """Times what it has learnt that a video is brighter than its picture."""


@dataclass(frozen=True)
class Settings(RenderSettings):
    """As if the family had its line in `nvs_jax/settings/render.py`."""

    toy: ToySettings = field(default_factory=ToySettings)


class ToyNetwork(nnx.Module):
    """What it has learnt: how much brighter a video is than the picture it begins with."""

    def __init__(self, config: ToyConfig):
        self.brighter = parameter(config.channels)


@dataclass(frozen=True)
class ToyVideo:
    networks: Networks = field(
        default_factory=lambda: Weightless({"network": ToyConfig()}, {"network": {"brighter": jnp.zeros(3)}})
    )
    settings: Settings = field(default_factory=Settings)

    family = "toy"
    lattice = Lattice(cell=2, cells=2, frame_step=4, channels=3, frames=9)
    sigma_scale = 80.0
    latent_scale = None
    encodings = 1
    defaults = Settings(
        schedule=ScheduleSettings(steps=6, sigma_max=80.0), path=PathSettings(radius=(6.0, 6.0), step_degrees=2.0)
    )
    picture_encoder = None

    def codec(self) -> AveragingCodec:
        return AveragingCodec()

    def told(self, settings: RenderSettings) -> "ToyVideo":
        return replace(self, settings=settings if isinstance(settings, Settings) else Settings())

    def look(self, picture: Float[Array, "H W 3"], noise: Float[Array, "b H W 3"], warp: Warp) -> Float[Array, "h w 3"]:
        return self.codec().encode(picture[None])[0]

    def encode_views(self, seen: Float[Array, "h w 3"], picture: Float[Array, "H W 3"], warp: Warp) -> WarpedViews:
        video = jnp.concatenate([picture[None], fill_holes(warp.condition, warp.hole)])
        hole = jnp.concatenate([jnp.zeros_like(warp.hole[:1]), warp.hole])
        return WarpedViews(self.codec().encode(video)[None], self.codec().pool_mask(hole)[None])

    def denoiser(self, seen: Float[Array, "h w 3"], frames: int) -> FlowMatchingDenoiser:
        latents = self.lattice.latent_shape(frames, 0, 0)[0]
        mean = seen + self.settings.toy.exposure * self.networks.weights("network")["brighter"]
        return FlowMatchingDenoiser(jnp.broadcast_to(mean, (1, latents, *seen.shape)), 0.1)


FAMILY = Family(
    name="toy",
    configs={"network": ToyConfig()},
    uses=dict.fromkeys(("embed", "encode", "sample", "decode"), "network"),
    parse=lambda component, published, where: ToyConfig(**published),
    published=asdict,
    build=ToyNetwork,
    held_dtype=lambda component, stored, wanted: np.dtype(np.float32),
    gather=lambda configs, weights: Weightless(configs, weights),
    model=ToyVideo,
    reached=dict.fromkeys(("embed", "encode", "sample", "decode"), 0.5),
)
