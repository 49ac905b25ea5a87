"""What would make a render fit, and the plan as a person reads it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nvs_jax.planning.devices import DERIVED, GIB, Device
from nvs_jax.planning.estimate import Phase
from nvs_jax.planning.request import Request

Assess = Callable[[Request, bool], list[Phase]]
"""The phases of a request, with or without --low-memory."""

_BASIS = {
    "compiled": "compiled just now",
    "measured": "compiled earlier, same sizes",
    "scaled": "scaled from programs compiled earlier",
    "fewer": "concluded from programs for fewer of these chips",
    "estimated": "estimated from another chip's programs: may be off by a third",
}


@dataclass(frozen=True)
class Change:
    """One option.

    Attributes:
        option: as on the command line.
        note: what it costs.
        request: the request with it.
        low_memory: whether with --low-memory.
    """

    option: str
    note: str
    request: Request
    low_memory: bool


def peak(phases: Sequence[Phase]) -> int:
    """Bytes of the largest phase."""
    return max(phase.total for phase in phases)


def changes(request: Request, low_memory: bool, chips: int = 1) -> Iterator[Change]:
    """Options that save memory, the most harmless first."""
    if chips > 1 and not request.divided:
        divided = replace(request, divided=True)
        yield Change("--mesh.weights", "each layer's weights are gathered in every step", divided, low_memory)
    if not low_memory:
        yield Change("--low-memory", "reads the weights again for every video", request, True)
    if not request.sequential:
        sequential = replace(request, sequential=True)
        yield Change("--memory.sequential-guidance", "a little slower, same video", sequential, low_memory)
    if request.dtype == "float32":
        yield Change("--dtype bfloat16", "less exact", replace(request, dtype="bfloat16"), low_memory)
    if request.vae_dtype == "float32":
        narrow = replace(request, vae_dtype="bfloat16")
        yield Change("--memory.vae-dtype bfloat16", "a little noise in what is decoded", narrow, low_memory)
    if request.tile is None and min(request.height, request.width) > 320:
        tiled = replace(request, tile=(320, 512))
        yield Change("--memory.tile 320 512", "slower, and the video changes a little", tiled, low_memory)
    for chunk in (4, 2):
        if chunk < request.chunk:
            smaller = replace(request, chunk=chunk)
            yield Change(f"--decode-chunk {chunk}", "less consistent in time", smaller, low_memory)
    for frames in (49, 25, 14):
        if frames < request.frames:
            yield Change(f"{frames} frames", "a shorter video", replace(request, frames=frames), low_memory)
    for height, width in ((448, 768), (320, 576)):
        if height * width < request.pixels:
            smaller = replace(request, height=height, width=width)
            yield Change(f"{height}x{width} pixels", "a smaller video", smaller, low_memory)


def advise(
    request: Request,
    low_memory: bool,
    device: Device,
    assess: Assess,
    takes: Callable[[Request], bool] = lambda _: True,
) -> list[str]:
    """What to do about a render that does not fit: single options that suffice, or several that do together.

    Args:
        request: the render.
        low_memory: whether with --low-memory.
        device: what it is to run on.
        assess: gives the phases of a request.
        takes: whether the model can be asked for a request.
    """

    def options(request: Request, low_memory: bool) -> Iterator[Change]:
        return (each for each in changes(request, low_memory, device.chips) if takes(each.request))

    def fits(change: Change) -> bool:
        return peak(assess(change.request, change.low_memory)) <= device.usable

    alone = [change for change in options(request, low_memory) if fits(change)]
    if alone:
        return ["It fits with any one of:", *(f"  {change.option}  ({change.note})" for change in alone)]
    taken: list[Change] = []
    while True:
        current = (taken[-1].request, taken[-1].low_memory) if taken else (request, low_memory)
        before = peak(assess(*current))
        better = [change for change in options(*current) if peak(assess(change.request, change.low_memory)) < before]
        if not better:
            return ["No combination of options makes it fit: take a larger device."]
        taken.append(better[0])
        if fits(taken[-1]):
            return ["It fits with all of:", *(f"  {change.option}  ({change.note})" for change in taken)]


def report(
    name: str, request: Request, low_memory: bool, device: Device, phases: Sequence[Phase], advice: Sequence[str]
) -> str:
    """The plan in plain text."""
    chips = f"one {device.name} chip" if device.chips == 1 else f"each of {device.chips} {device.name} chips"
    where = chips if device.kind == "tpu" else f"a GPU of {device.capacity // GIB} GB"
    lines = [
        f"{name}: {request.frames} frames of {request.height}x{request.width}, {request.method}, {request.dtype}"
        f"{', low memory' * low_memory}{', weights divided' * request.divided}, on {where} "
        f"({device.usable / GIB:.2f} GiB for JAX)",
        "",
        f"{'GiB':10}{'weights':>9}{'data':>9}{'programs':>10}{'in all':>9}",
    ]
    for phase in phases:
        sizes = (phase.weights, phase.data, phase.temporary, phase.total)
        columns = "".join(f"{size / GIB:>{width}.2f}" for size, width in zip(sizes, (9, 9, 10, 9), strict=True))
        over = "  <- too much" if phase.total > device.usable else ""
        lines.append(f"{phase.program:10}{columns}  {_BASIS[phase.basis]}{over}")
    largest = peak(phases)
    verdict = "It fits" if largest <= device.usable else "It does not fit"
    lines += ["", f"{verdict}: {largest / GIB:.2f} of {device.usable / GIB:.2f} GiB.", *advice]
    if device.name in DERIVED:
        lines += [f"{DERIVED[device.name]}."]
    if device.kind == "gpu":
        lines += [
            "Programs are those of an H100; for other GPUs they may take a little more or less.",
            "JAX takes 75 % of a GPU; XLA_PYTHON_CLIENT_MEM_FRACTION=0.9 gives it more.",
        ]
    return "\n".join(lines)
