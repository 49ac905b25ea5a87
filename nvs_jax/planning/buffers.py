"""What a program takes, from where the compiler puts every buffer: known long before the code that it generates next.

The compiler runs in a process of its own, which is ended when it has written down what is wanted.
"""

import multiprocessing
import re
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from nvs_jax.planning.compiling import Compiled, Memory, chips, mesh_of, on, overflow, require_compiler, sum_by_kind
from nvs_jax.planning.devices import Device
from nvs_jax.planning.programs import Model, build_program
from nvs_jax.planning.request import Program, Request
from nvs_jax.sharding import use

_REPORT, _PLACES, _PROGRAM = (
    f"*.after_optimizations{name}.txt"
    for name in ("-memory-usage-report", "-buffer-assignment", "_after_buffer_assignment")
)
_FAILED = "failed.txt"
_TOTAL = re.compile(r"^Memory Space: default \(color=0\)\nTotal bytes: (\d+)", re.MULTILINE)
_ALLOCATION = re.compile(r"^allocation \d+: size (\d+)(,.*)$", re.MULTILINE)


def place_buffers(
    name: Program, model: Model, request: Request, device: Device, shape: tuple[int, int, int]
) -> Compiled:
    """What a program takes on each chip, and what the chips tell each other; not the compiler's counts of work.

    Args:
        name: of a render's program.
        model: its networks.
        request: sizes and settings.
        device: TPU chips, which need not be there.
        shape: how they share the work: parts of the branches, of the frames and of the rows.

    Raises:
        InputError: the TPU compiler is not installed.
        RuntimeError: it does not compile.
    """
    require_compiler()
    with TemporaryDirectory() as dump:
        folder = Path(dump)
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_compile, args=(name, model, request, device, shape, folder), daemon=True)
        process.start()
        try:
            while process.is_alive() and not _is_written(folder):
                time.sleep(0.5)
        finally:
            process.kill()
            process.join()
        if (folder / _FAILED).exists():
            return _failed((folder / _FAILED).read_text(encoding="utf-8"), name, model, request)
        if not _is_written(folder):
            raise RuntimeError(f"the compiler ended with code {process.exitcode} and has said nothing")
        report, places, program = (next(folder.glob(kind)).read_text() for kind in (_REPORT, _PLACES, _PROGRAM))
        return Compiled(parse_buffers(report, places), {} if device.chips == 1 else sum_by_kind(program))


def parse_buffers(report: str, places: str) -> Memory:
    """Bytes from the compiler's report of memory and its list of buffers.

    Raises:
        ValueError: they are not written as they were.
    """
    total = _TOTAL.search(report)
    if total is None:
        raise ValueError("the compiler's report of memory does not say how many bytes there are in all")
    arguments = outputs = reused = 0
    for size, kinds in _ALLOCATION.findall(places):
        if ", color " in kinds:
            continue  # not in the chip's main memory
        is_argument, is_output = ", parameter " in kinds, "maybe-live-out" in kinds
        arguments += int(size) * is_argument
        outputs += int(size) * is_output
        reused += int(size) * (is_argument and is_output)
    return Memory(arguments, outputs, int(total[1]) - arguments - outputs + reused, reused)


def _compile(
    name: Program, model: Model, request: Request, device: Device, shape: tuple[int, int, int], folder: Path
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever interrupts the other process means this one, too
    try:
        found = chips(device.name, device.chips)
        mesh = mesh_of(found, shape)
        with use(mesh):
            lowered = build_program(name, model, request, on(found[0], mesh, divided=request.divides(name))).lower()
            lowered.compile(compiler_options={"xla_dump_to": str(folder), "xla_dump_hlo_as_text": True})
    except Exception as error:
        (folder / "failing").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
        (folder / "failing").rename(folder / _FAILED)


def _is_written(folder: Path) -> bool:
    """Whether the last of the files is there to its end, which is the end of the entry."""
    program = next(folder.glob(_PROGRAM), None)
    if program is None:
        return False
    text = program.read_bytes()
    return b"\nENTRY " in text and text.rstrip().endswith(b"\n}")


def _failed(message: str, name: Program, model: Model, request: Request) -> Compiled:
    found = overflow(build_program(name, model, request), message)
    if found is None:
        raise RuntimeError(message)
    return found
