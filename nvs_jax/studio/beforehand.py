"""What a render will need, said before it begins. The figures are those of `nvs-jax plan`."""

from functools import cache

from nvs_jax.loading import open_source
from nvs_jax.models.contract import Lattice
from nvs_jax.models.families import DEFAULT
from nvs_jax.planning.advice import peak
from nvs_jax.planning.devices import GIB, parse_device
from nvs_jax.planning.estimate import from_table, phases
from nvs_jax.planning.programs import Model
from nvs_jax.planning.request import Request
from nvs_jax.planning.table import read_table
from nvs_jax.settings import Guided, RenderSettings
from nvs_jax.settings.jobs import RenderJob


@cache
def model_of(weights: str | None) -> Model:
    """A model by its weights, of which the configurations alone are read; without any, the default family's.

    Raises:
        InputError: there are no such weights.
    """
    if weights is None:
        return Model(DEFAULT)
    opened = open_source(weights)
    return Model(opened.family, tuple(opened.configs.items()))


def lattice_of(weights: str | None) -> Lattice:
    """What a model takes.

    Raises:
        InputError: there are no such weights.
    """
    return model_of(weights).told(Request()).lattice


def memory_line(job: RenderJob, settings: RenderSettings, frames: int, size: tuple[int, int], device: str) -> str:
    """What a render takes of a device's memory, in a line.

    Args:
        job: of the render.
        settings: with the job's own method and steps.
        frames: of a leg.
        size: rows and columns of pixels.
        device: as `nvs-jax plan --device` has it, such as gpu:24GB.

    Raises:
        InputError: an unknown device or model, or a size that cannot be planned.
    """
    known, model = parse_device(device), model_of(job.weights)
    method: Guided = "post" if settings.guidance.method == "post" else "dgs"  # without guidance as with this one
    request = Request(
        frames=frames,
        height=size[0],
        width=size[1],
        dtype=job.dtype or "bfloat16",
        method=method,
        gradient=settings.guidance.gradient,
        sequential=settings.memory.sequential_guidance,
        chunk=settings.decode_chunk,
        tile=settings.memory.tile,
        overlap=settings.memory.tile_overlap,
        vae_dtype=settings.memory.vae_dtype,
    )
    found = phases(model, request, from_table(read_table(), known, model), low_memory=job.low_memory)
    needed, most = peak(found), max(found, key=lambda phase: phase.total)
    verdict = "fits" if needed <= known.usable else "does not fit: `nvs-jax plan` says what would make it"
    of = f"{needed / GIB:.1f} of {known.usable / GIB:.1f} GiB of {device}"
    return f"{frames} frames of {size[0]}x{size[1]}: {of}, most in {most.program}: {verdict}"
