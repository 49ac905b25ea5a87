"""A render's programs at full size, as functions of arrays that are only shapes: nothing is allocated.

They are the pipeline's own parts, put together as it does. What they run on is not their business: the shapes carry
shardings, which the caller chooses.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from nvs_jax.diffusion import closed_form_trust, init, run_steps
from nvs_jax.diffusion.assemble import make_guidance
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.codec import SVDCodec
from nvs_jax.models.svd.config import ImageEncoderConfig, UNetConfig, VAEConfig
from nvs_jax.models.svd.denoiser import SVDDenoiser
from nvs_jax.models.svd.image_encoder import ImageEncoder
from nvs_jax.models.svd.networks import held_dtype
from nvs_jax.models.svd.preprocess import preprocess
from nvs_jax.models.svd.vae_tiling import tiles_of_pixels
from nvs_jax.models.weights import bind, parameter_specs
from nvs_jax.planning.request import Program, Request
from nvs_jax.planning.work import Work, count_work
from nvs_jax.settings import GuidanceSettings
from nvs_jax.sharding import constrain, use

STEPS = 5
"""Of a program that samples: as many as the pipeline puts into one at 25 steps. Its memory does not depend on it."""

Place = Callable[[str, tuple[int, ...]], jax.sharding.Sharding | None]
"""Where an argument goes, by its name ("unet/conv_in.weight", "latents") and shape."""
Shape = jax.ShapeDtypeStruct


@dataclass(frozen=True)
class Model:
    """A model's configurations."""

    unet: UNetConfig = UNetConfig()
    vae: VAEConfig = VAEConfig()
    image_encoder: ImageEncoderConfig = ImageEncoderConfig()

    def module(self, component: str) -> nnx.Module:
        """A network without values."""
        return build(getattr(self, component))

    def parameters(self, component: str) -> int:
        """How many numbers a network has.

        >>> round(Model().parameters("unet") / 1e9, 4)
        1.5246
        """
        return _count(self, component)

    def weight_bytes(self, component: str, dtype: str) -> int:
        """Bytes of a network on the device."""
        return self.parameters(component) * held_dtype(component, dtype).itemsize


@functools.lru_cache(maxsize=64)  # building a network of full size takes a second
def _count(model: Model, component: str) -> int:
    return sum(math.prod(spec.shape) for spec in parameter_specs(model.module(component)).values())


@dataclass(frozen=True)
class AbstractProgram:
    """A function and the shapes it is compiled for.

    Attributes:
        function: to be jitted.
        arguments: by name.
        donated: the arguments whose memory the result may take.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    donated: tuple[str, ...] = ()

    def lower(self) -> jax.stages.Lowered:
        """For the platform of the arguments' shardings, or of this machine."""
        return jax.jit(self.function, donate_argnames=self.donated).lower(**self.arguments)

    def work(self, mesh: jax.sharding.Mesh | None = None, *, divided: bool = True) -> Work:
        """What each chip does, counted without compiling; see `nvs_jax.planning.work`.

        Args:
            mesh: what the work is divided over; None: one chip.
            divided: whether it is; else every chip of the mesh does all of it.
        """
        with use(mesh):
            traced = jax.jit(self.function).trace(**self.arguments).jaxpr
        return count_work(traced, mesh.size if mesh is not None and divided else 1)


def build_program(name: Program, model: Model, request: Request, place: Place = lambda *_: None) -> AbstractProgram:
    """A render's program from shapes alone.

    Args:
        name: which.
        model: its networks' configurations.
        request: sizes and settings.
        place: where each argument goes.
    """

    def shape(name: str, *size: int, dtype: Any = jnp.float32) -> Shape:
        return Shape(size, dtype, sharding=place(name, size))

    def weights(component: str) -> dict[str, Shape]:
        dtype = held_dtype(component, request.dtype)
        specs = parameter_specs(model.module(component))
        return {name: shape(f"{component}/{name}", *spec.shape, dtype=dtype) for name, spec in specs.items()}

    codec = _codec(model, request)
    frames, cells = request.frames, codec({}).latent_shape(1, request.height, request.width)[1:]
    picture = request.height, request.width, 3
    match name:
        case "embed":
            arguments = {"weights": weights("image_encoder"), "picture": shape("picture", *picture)}
            return AbstractProgram(_embed(model), arguments)
        case "encode":
            pictures = shape("pictures", frames - 1, *picture)
            return AbstractProgram(
                lambda weights, pictures: constrain(codec(weights).encode(pictures), "replicated"),
                {"weights": weights("vae"), "pictures": pictures},
            )
        case "decode":
            return AbstractProgram(
                lambda weights, latents: constrain(codec(weights).decode(latents), "replicated"),
                {"weights": weights("vae"), "latents": shape("latents", 1, frames, *cells)},
            )
        case "sample":
            arguments = {
                "weights": weights("unet"),
                "latents": shape("latents", 1, frames, *cells),
                "image_latent": shape("image_latent", 1, *cells),
                "embedding": shape("embedding", 1, model.unet.cross_attention_dim[0]),
                "target": shape("target", 1, frames, *cells),
                "hole": shape("hole", 1, frames, *cells[:-1], dtype=bool),
                "distances": shape("distances", frames),
                "sigmas": shape("sigmas", STEPS + 1),
            }
            return AbstractProgram(_sample(model, request), arguments, ("latents",))


def _codec(model: Model, request: Request) -> Callable[[Any], SVDCodec]:
    config = model.vae
    tiles = tiles_of_pixels(request.tile, request.overlap, config.stride)
    scale = 1 / config.scaling_factor
    return lambda weights: SVDCodec(weights, scale, config, request.chunk, tiles, request.vae_dtype)


def _embed(model: Model) -> Callable[..., Array]:
    def embed(weights: Any, picture: Array) -> Array:
        pixels = preprocess(picture, model.image_encoder.image_size)[None]
        dtype = weights["visual_projection.weight"].dtype
        return constrain(bind(ImageEncoder(model.image_encoder), weights)(pixels.astype(dtype)), "replicated")

    return embed


def _sample(model: Model, request: Request) -> Callable[..., Array]:
    settings = GuidanceSettings(method=request.method, gradient=request.gradient)

    def sample(
        weights: Any,
        latents: Array,
        image_latent: Array,
        embedding: Array,
        target: Array,
        hole: Array,
        distances: Array,
        sigmas: Array,
    ) -> Array:
        denoiser = SVDDenoiser(
            weights=weights,
            image_latent=image_latent,
            embedding=embedding,
            time_ids=jnp.array([6, 127, 0.02]),
            guidance_scale=jnp.linspace(1, 3, request.frames),
            config=model.unet,
            sequential=request.sequential,
        )
        guidance = make_guidance(settings, WarpedViews(target, hole), model.unet.stride)
        return run_steps(init(latents), sigmas, denoiser, guidance, closed_form_trust(distances, sigmas[0])).x

    return sample
