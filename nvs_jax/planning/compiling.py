"""Programs compiled for TPUs on a machine without one, and what the compiler says of their memory."""

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import jax

from nvs_jax.errors import InputError
from nvs_jax.planning.devices import TPU_TOPOLOGY
from nvs_jax.planning.programs import AbstractProgram, Place

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
        """While it runs."""
        return self.arguments + self.outputs + self.temporary - self.reused


def can_compile() -> bool:
    """Whether the TPU compiler is installed."""
    return find_spec("libtpu") is not None


def chip(name: str) -> Any:
    """One chip of a TPU that need not be there.

    Args:
        name: "v5e", "v6e" or "v5p".

    Raises:
        InputError: the TPU compiler is not installed.
    """
    if not can_compile():
        raise InputError("the TPU compiler is not installed: pip install 'nvs-jax[tpu]', or libtpu alone")
    # The compiler would otherwise ask the cloud about this machine, and refuse to be loaded twice.
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
    from jax.experimental.topologies import get_topology_desc

    return get_topology_desc(platform="tpu", topology_name=TPU_TOPOLOGY[name]).devices[0]


def on(device: Any) -> Place:
    """Every argument whole on one device."""
    sharding = jax.sharding.SingleDeviceSharding(device)
    return lambda *_: sharding


def measure(program: AbstractProgram) -> Memory:
    """Compile, and read what it takes.

    A program that does not fit is not compiled to the end; its message says how much it would take.

    Raises:
        jax.errors.JaxRuntimeError: it does not compile for another reason.
    """
    arguments = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(program.arguments))
    try:
        analysis = program.lower().compile().memory_analysis()
    except jax.errors.JaxRuntimeError as error:
        total = parse_overflow(str(error))
        if total is None:
            raise
        return Memory(arguments, 0, total - arguments)
    assert analysis is not None, "this back end says nothing of memory"
    return Memory(
        arguments=analysis.argument_size_in_bytes,
        outputs=analysis.output_size_in_bytes,
        temporary=analysis.temp_size_in_bytes,
        reused=analysis.alias_size_in_bytes,
    )


def parse_overflow(message: str) -> int | None:
    """Bytes in all that a program would take, from the compiler's complaint; None if it is about something else.

    >>> parse_overflow("Ran out of memory in memory space hbm. Used 20.10G of 15.75G hbm. Exceeded by 4.35G.") // 2**30
    20
    """
    found = re.search(r"Used ([\d.]+)([KMG]?) of [\d.]+[KMG]? hbm", message)
    return None if found is None else int(float(found[1]) * _UNITS[found[2]])
