"""`nvs-jax plan`: says before a render whether it fits."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nvs_jax.disk.looking import exists
from nvs_jax.errors import InputError
from nvs_jax.planning.advice import advise, peak, report
from nvs_jax.planning.devices import Device, default_mesh, parse_device
from nvs_jax.planning.duration import time_lines
from nvs_jax.planning.request import Program, Request
from nvs_jax.saying import say, tell
from nvs_jax.settings.jobs import PlanJob

if TYPE_CHECKING:
    from nvs_jax.planning.estimate import Basis, Phase, Temporary
    from nvs_jax.planning.programs import Model


def run_plan(job: PlanJob) -> bool:
    """Print the plan; True if the render fits.

    Raises:
        InputError: an unknown device or model, or sizes that cannot be planned.
    """
    device = parse_device(job.device)
    import jax

    jax.config.update("jax_platforms", "cpu")  # a plan computes nothing, and must not take a device's memory
    from nvs_jax.planning.compiling import can_compile
    from nvs_jax.planning.estimate import from_table, phases
    from nvs_jax.planning.gpu import can_compile_for_gpu
    from nvs_jax.planning.published import entries_of
    from nvs_jax.planning.table import read_table

    model = _model(job.model)
    request = _request(job, model)
    if request.divided and device.chips == 1:
        raise InputError("--divide-weights is for several chips: --device v5e:8")
    entries = entries_of(read_table(), model)
    table = from_table(entries, device, model)
    known = can_compile() if device.kind == "tpu" else can_compile_for_gpu()
    compiles = job.figures == "compile" or (job.figures == "auto" and known)
    source = _compiled(model, device) if compiles else table
    found = phases(model, request, source, low_memory=job.low_memory, chips=device.chips)
    fits = peak(found) <= device.usable

    def assess(request: Request, low_memory: bool) -> "list[Phase]":
        return phases(model, request, table, low_memory=low_memory, chips=device.chips)

    advice = [] if fits else advise(request, job.low_memory, device, assess, lambda other: _takes(model, other))
    tell(report(job.model, request, job.low_memory, device, found, advice))
    alone = replace(device, chips=1)
    on_one = phases(model, request, from_table(entries, alone, model), low_memory=job.low_memory)
    steps = job.steps or model.told(request).defaults.schedule.steps
    runs, reached = model.runs(steps), model.family.reached
    known = time_lines(entries, device, request, runs, reached, alone=peak(on_one) <= alone.usable)
    tell("\n".join(["", *known]))
    return fits


def _takes(model: "Model", request: Request) -> bool:
    """Whether a model can be asked for it."""
    try:
        model.told(request).lattice.check(request.frames, request.height, request.width)
    except InputError:
        return False
    return True


def _request(job: PlanJob, model: "Model") -> Request:
    """What is asked for, of a size that the model takes."""
    from nvs_jax.planning.published import usual_size

    height, width = usual_size(model)
    request = Request(
        frames=job.frames or model.told(Request()).lattice.frames,
        height=job.height or height,
        width=job.width or width,
        dtype=job.dtype,
        method="dgs" if job.method == "none" else job.method,
        gradient=job.gradient,
        sequential=job.memory.sequential_guidance,
        chunk=job.decode_chunk,
        tile=job.memory.tile,
        overlap=job.memory.tile_overlap,
        vae_dtype=job.memory.vae_dtype,
        divided=job.divide_weights,
    )
    told = model.told(request)
    told.lattice.check(request.frames, request.height, request.width)
    _ = told.codec()  # which refuses tiles that it cannot make
    return request


def _model(name: str) -> "Model":
    """A published model by its name, or that of weights."""
    from nvs_jax.loading import open_source
    from nvs_jax.planning.published import model_of, names, published_model

    if name in names():
        return published_model(name)
    if not exists(Path(name)):
        raise InputError(f"--model {name} is neither one of {', '.join(names())} nor a folder of weights")
    return model_of(open_source(name))


def _compiled(model: "Model", device: Device) -> "Temporary":
    """Temporary bytes from the compiler itself; one to three minutes a program at full size."""
    from nvs_jax.planning.buffers import place_buffers
    from nvs_jax.planning.estimate import GPU_WORKSPACE
    from nvs_jax.planning.gpu import compile_for_h100

    shape = default_mesh(device.chips)

    def temporary(program: Program, request: Request) -> "tuple[int, Basis]":
        say(f"compiling {program} ...")
        if device.kind == "gpu":
            return compile_for_h100(program, model, request)[0].memory.temporary + GPU_WORKSPACE, "compiled"
        return place_buffers(program, model, request, device, shape).memory.temporary, "compiled"

    return temporary
