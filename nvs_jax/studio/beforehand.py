"""What a render will need, said before it begins. The figures are those of `nvs-jax plan`."""

from functools import cache

from nvs_jax.errors import InputError
from nvs_jax.loading import open_source
from nvs_jax.models.contract import Lattice
from nvs_jax.models.families import DEFAULT, family
from nvs_jax.planning import published
from nvs_jax.planning.advice import peak
from nvs_jax.planning.devices import GIB, parse_device
from nvs_jax.planning.duration import time_lines
from nvs_jax.planning.estimate import from_table, phases
from nvs_jax.planning.programs import Model
from nvs_jax.planning.request import Request
from nvs_jax.planning.table import read_table
from nvs_jax.studio.session import Session


@cache
def model_of(weights: str | None) -> Model:
    """A model by its weights, of which the configurations alone are read; without any, the default family's.

    Raises:
        InputError: there are no such weights.
    """
    if weights is None:
        return Model(DEFAULT)
    return published.model_of(open_source(weights))


def lattice_of(weights: str | None) -> Lattice:
    """What a model takes.

    Raises:
        InputError: there are no such weights.
    """
    return model_of(weights).told(Request()).lattice


def needs_of(session: Session, device: str) -> str:
    """What a render takes of a device, in lines: memory, and where it is known time.

    Args:
        session: of the render.
        device: as `nvs-jax plan --device` has it, such as gpu:24GB.
    """
    try:
        known, model = parse_device(device), model_of(session.job.weights)
        request, entries = _request(session), published.entries_of(read_table(), model)
        found = phases(model, request, from_table(entries, known, model), low_memory=session.job.low_memory)
    except InputError as error:
        return str(error)
    needed, most = peak(found), max(found, key=lambda phase: phase.total)
    verdict = "fits" if needed <= known.usable else "does not fit: `nvs-jax plan` says what would make it"
    of = f"{needed / GIB:.1f} of {known.usable / GIB:.1f} GiB of {device}"
    lines = [f"{request.frames} frames of {request.height}x{request.width}: {of}, most in {most.program}: {verdict}"]
    if model.configs is None or dict(model.configs) == dict(family(DEFAULT).configs):  # whose work was counted
        runs, reached = model.runs(session.settings.schedule.steps), model.family.reached
        lines += time_lines(entries, known, request, runs, reached)[:1]
    return "\n\n".join(lines)


def _request(session: Session) -> Request:
    height, width = (side * session.scene.shrink for side in session.scene.view.depth.shape)
    whole = session.scene.clip is None and session.is_free  # else it is made in legs of the model's own length
    settings = session.settings
    return Request(
        frames=session.frames if whole else min(session.frames, session.scene.lattice.frames),
        height=height,
        width=width,
        dtype=session.job.dtype or "bfloat16",
        method="post" if settings.guidance.method == "post" else "dgs",  # without guidance as with this one
        gradient=settings.guidance.gradient,
        sequential=settings.memory.sequential_guidance,
        chunk=settings.decode_chunk,
        tile=settings.memory.tile,
        overlap=settings.memory.tile_overlap,
        vae_dtype=settings.memory.vae_dtype,
    )
