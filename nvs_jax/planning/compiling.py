"""Programs compiled for TPUs on a machine without one, and what the compiler says of their memory."""

import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import jax
from jax.sharding import Mesh

from nvs_jax.errors import InputError
from nvs_jax.models.stacked import is_of_stack
from nvs_jax.planning.collectives import executed
from nvs_jax.planning.devices import TPU_TOPOLOGY
from nvs_jax.planning.programs import AbstractProgram, Place
from nvs_jax.sharding import divided_weights, make_mesh, replicated, use

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


@dataclass(frozen=True)
class Memory:
    """Bytes of a program on each chip.

    Attributes:
        arguments: weights and data.
        outputs: results.
        temporary: everything between.
        reused: of the results, what takes the place of arguments.
    """

    arguments: int
    outputs: int
    temporary: int
    reused: int = 0

    @property
    def total(self) -> int:
        return self.arguments + self.outputs + self.temporary - self.reused


@dataclass(frozen=True)
class Compiled:
    """What the compiler says of a program.

    Attributes:
        memory: bytes on each chip.
        collectives: of one run of the program, by kind: how many, and the bytes that each chip sends.
        accessed: bytes read and written by one chip, what is in loops once.
        flops: operations of one chip, what is in loops once.
    """

    memory: Memory
    collectives: dict[str, tuple[int, int]] = field(default_factory=dict)
    accessed: float = 0
    flops: float = 0


def can_compile() -> bool:
    """Whether the TPU compiler is installed."""
    return find_spec("libtpu") is not None


def require_compiler() -> None:
    """Nothing, if the TPU compiler is installed.

    Raises:
        InputError: it is not.
    """
    if not can_compile():
        raise InputError("the TPU compiler is not installed: pip install 'nvs-jax[tpu]', or libtpu alone")


def chips(name: str, count: int = 1) -> list[Any]:
    """Chips of a TPU that need not be there.

    Args:
        name: "v5e", "v6e" or "v5p".
        count: how many: 1, 2, 4, 8, 16 or 32.

    Raises:
        InputError: the TPU compiler is not installed.
    """
    require_compiler()
    # The compiler would otherwise ask the cloud about this machine, and refuse to be loaded twice.
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
    from jax.experimental.topologies import get_topology_desc

    return get_topology_desc(platform="tpu", topology_name=f"{name}:{TPU_TOPOLOGY[name][count]}").devices[:count]


def mesh_of(devices: list[Any], shape: tuple[int, int, int]) -> Mesh | None:
    """A mesh of them; None for one device, which needs none."""
    return None if len(devices) == 1 else make_mesh(*shape, devices=devices)


def on(device: Any, mesh: Mesh | None = None, *, divided: bool = False) -> Place:
    """Every argument whole on one device, or on all of a mesh, but for weights where they are divided among them."""
    if mesh is None:
        return lambda *_: jax.sharding.SingleDeviceSharding(device)
    whole, parts = replicated(mesh), divided_weights(mesh)
    return lambda name, shape: parts(shape) if divided and is_of_stack(name) else whole


def compile_program(program: AbstractProgram, mesh: Mesh | None = None) -> Compiled:
    """Compile, and read what it takes.

    Args:
        program: its arguments on the devices of the mesh.
        mesh: what the work is divided over; None: nothing.

    A program that does not fit is not compiled to the end; its message says how much it would take.

    Raises:
        jax.errors.JaxRuntimeError: it does not compile for another reason.
    """
    try:
        with use(mesh):
            compiled = program.lower().compile()
    except jax.errors.JaxRuntimeError as error:
        found = overflow(program, str(error))
        if found is None:
            raise
        return found
    costs = compiled.cost_analysis() or {}
    text = compiled.as_text() if mesh is not None else None
    sums = {} if text is None else sum_by_kind(text)
    return Compiled(memory_of(compiled), sums, costs.get("bytes accessed", 0), costs.get("flops", 0))


def memory_of(compiled: jax.stages.Compiled) -> Memory:
    """Bytes of a compiled program, by its compiler."""
    analysis = compiled.memory_analysis()
    assert analysis is not None, "this back end says nothing of memory"
    return Memory(
        arguments=analysis.argument_size_in_bytes,
        outputs=analysis.output_size_in_bytes,
        temporary=analysis.temp_size_in_bytes,
        reused=analysis.alias_size_in_bytes,
    )


def overflow(program: AbstractProgram, message: str) -> Compiled | None:
    """What a program that does not fit would take: what is no argument counts as temporary.

    Args:
        program: which.
        message: the compiler's complaint; None comes back if it is about something else.
    """
    total = parse_overflow(message)
    if total is None:
        return None
    arguments = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(program.arguments))
    return Compiled(Memory(arguments, 0, total - arguments))


def sum_by_kind(text: str) -> dict[str, tuple[int, int]]:
    """Collectives of one run of a compiled program: of each kind, how many and the bytes that a chip sends."""
    sums: dict[str, tuple[int, int]] = {}
    for each, times in executed(text):
        count, sent = sums.get(each.kind, (0, 0))
        sums[each.kind] = count + times, sent + times * each.sent
    return dict(sorted(sums.items()))


def parse_overflow(message: str) -> int | None:
    """Bytes in all that a program would take, from the compiler's complaint; None if it is about something else.

    >>> parse_overflow("Ran out of memory in memory space hbm. Used 20.10G of 15.75G hbm. Exceeded by 4.35G.") // 2**30
    20
    >>> parse_overflow("the total memory required for HLO temporaries (19.01G) exceeds available HBM (15.75G)") // 2**30
    19
    """
    found = re.search(r"(?:Used |HLO temporaries \()([\d.]+)([KMG]?)(?: of [\d.]+[KMG]? hbm|\) exceeds)", message)
    return None if found is None else int(float(found[1]) * _UNITS[found[2]])
