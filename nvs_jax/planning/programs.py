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
from nvs_jax.geometry import nothing_known
from nvs_jax.models.contract import Lattice, VideoModel
from nvs_jax.models.families import DEFAULT, Family, family
from nvs_jax.models.networks import Weightless
from nvs_jax.models.weights import parameter_specs
from nvs_jax.planning.request import PROGRAMS, Program, Request
from nvs_jax.planning.work import Work, count_work
from nvs_jax.settings import GuidanceSettings, MemorySettings, RenderSettings
from nvs_jax.sharding import constrain, use

STEPS = 5
"""Of a program that samples: as many as the pipeline puts into one at 25 steps. Its memory does not depend on it."""

Place = Callable[[str, tuple[int, ...]], jax.sharding.Sharding | None]
"""Where an argument goes, by its name ("unet/conv_in.weight", "latents") and shape."""
Shape = jax.ShapeDtypeStruct


@dataclass(frozen=True)
class Model:
    """A model without its weights.

    Attributes:
        name: of its family.
        configs: of each component; None: the family's own.
    """

    name: str = DEFAULT
    configs: tuple[tuple[str, Any], ...] | None = None

    @property
    def family(self) -> Family:
        """What it is one of."""
        return family(self.name)

    def networks(self, **weights: Any) -> Weightless:
        """Its configurations, and the weights of some of them."""
        return Weightless(dict(self.configs or self.family.configs), weights)

    def told(self, request: Request, **weights: Any) -> VideoModel:
        """The model as it is put together for a request, with the weights of the networks that are used.

        Raises:
            InputError: the size of the tiles is none that the model takes.
        """
        memory = MemorySettings(request.tile, request.overlap, request.sequential, request.vae_dtype)
        settings = RenderSettings(memory=memory, decode_chunk=request.chunk)
        return self.family.model(self.networks(**weights)).told(settings)

    def programs(self) -> tuple[Program, ...]:
        """Those that its renders run: without the first one where no picture is embedded."""
        seen = self.told(Request()).picture_encoder is not None
        return tuple(program for program in PROGRAMS if seen or program != "embed")

    def runs(self, steps: int) -> dict[Program, int]:
        """How often a render runs each program, at so many steps of the solver."""
        often: dict[Program, int] = {"encode": self.told(Request()).encodings, "sample": steps}
        return {program: often.get(program, 1) for program in self.programs()}

    def module(self, component: str) -> nnx.Module:
        """A network without values."""
        return self.family.build(self.networks().configs[component])

    def parameters(self, component: str) -> int:
        """How many numbers a network has.

        >>> round(Model().parameters("unet") / 1e9, 4)
        1.5246
        """
        return _count(self, component)

    def weight_bytes(self, component: str, dtype: str) -> int:
        """Bytes of a network on the device."""
        return self.parameters(component) * self.family.held_dtype(component, dtype, None).itemsize


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
        dtype = model.family.held_dtype(component, request.dtype, None)
        specs = parameter_specs(model.module(component))
        return {name: shape(f"{component}/{name}", *spec.shape, dtype=dtype) for name, spec in specs.items()}

    def told(weights: Any) -> VideoModel:
        return model.told(request, **{component: weights})

    component, picture = model.family.uses[name], (request.height, request.width, 3)
    lattice = model.told(request).lattice
    frames, *cells = lattice.latent_shape(request.frames, request.height, request.width)
    arguments = {"weights": weights(component)}
    match name:
        case "embed":
            return AbstractProgram(_embed(told), arguments | {"picture": shape("picture", *picture)})
        case "encode":
            return AbstractProgram(
                lambda weights, pictures: constrain(told(weights).codec().encode(pictures), "replicated"),
                arguments | {"pictures": shape("pictures", _encoded(lattice, request.frames), *picture)},
            )
        case "decode":
            return AbstractProgram(
                lambda weights, latents: constrain(told(weights).codec().decode(latents), "replicated"),
                arguments | {"latents": shape("latents", 1, frames, *cells)},
            )
        case "sample":
            arguments |= {
                "latents": shape("latents", 1, frames, *cells),
                "seen": jax.tree.map(lambda leaf: shape("seen", *leaf.shape, dtype=leaf.dtype), _seen(model, request)),
                "target": shape("target", 1, frames, *cells),
                "hole": shape("hole", 1, frames, *cells[:-1], dtype=bool),
                "distances": shape("distances", frames),
                "sigmas": shape("sigmas", STEPS + 1),
            }
            return AbstractProgram(_sample(model, request, told), arguments, ("latents",))


def _encoded(lattice: Lattice, frames: int) -> int:
    """Pictures that are encoded: a causal codec is given the whole video, others what comes after the first."""
    return frames if lattice.frame_step > 1 else frames - 1


def _embed(told: Callable[[Any], VideoModel]) -> Callable[..., Array]:
    def embed(weights: Any, picture: Array) -> Array:
        encoder = told(weights).picture_encoder
        assert encoder is not None
        return encoder.embed(picture)

    return embed


def _seen(model: Model, request: Request) -> Any:
    """Shapes of what the model is told of a video."""

    def look(weights: Any, picture: Array) -> Any:
        warp = nothing_known(request.frames - 1, request.height, request.width)
        return model.told(request, **weights).look(picture, picture[None], warp)

    weights = {
        component: {
            name: Shape(spec.shape, jnp.float32) for name, spec in parameter_specs(model.module(component)).items()
        }
        for component in model.networks().configs
        if component != model.family.uses["sample"]
    }
    return jax.eval_shape(look, weights, Shape((request.height, request.width, 3), jnp.float32))


def _sample(model: Model, request: Request, told: Callable[[Any], VideoModel]) -> Callable[..., Array]:
    settings = GuidanceSettings(method=request.method, gradient=request.gradient)

    def sample(
        weights: Any, latents: Array, seen: Any, target: Array, hole: Array, distances: Array, sigmas: Array
    ) -> Array:
        made = told(weights)
        denoiser = made.denoiser(seen, request.frames)
        guidance = make_guidance(settings, WarpedViews(target, hole), made.lattice.cells)
        return run_steps(init(latents), sigmas, denoiser, guidance, closed_form_trust(distances, made.sigma_scale)).x

    return sample
