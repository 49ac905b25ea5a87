"""Devices a plan is made for, and what they hold. No JAX here."""

import re
from dataclasses import dataclass
from typing import Literal

from nvs_jax.errors import InputError

GIB = 2**30

# What a program may use of a chip, as the TPU compiler counts it: a little less than what is sold.
TPU_BYTES = {"v5e": int(15.75 * GIB), "v6e": int(31.25 * GIB), "v5p": int(95.74 * GIB), "v4": int(31.25 * GIB)}
DERIVED = {"v4": "a v4 is taken to leave a program what a v6e does, of 32 GiB too: nothing was compiled for one"}
"""By name, what is not known of a device but concluded."""
_FLAT = {1: "2x2", 2: "2x2", 4: "2x2", 8: "2x4", 16: "4x4", 32: "4x8"}
_CUBIC = {1: "2x2x1", 2: "2x2x1", 4: "2x2x1", 8: "2x2x2", 16: "2x2x4", 32: "2x4x4"}
TPU_TOPOLOGY = {"v5e": _FLAT, "v6e": _FLAT, "v5p": _CUBIC, "v4": _CUBIC}
"""By number of chips: the smallest slice the compiler has a description of; a plan uses as many of its chips as it
needs."""

# JAX takes this share of a GPU when it starts, unless XLA_PYTHON_CLIENT_MEM_FRACTION says otherwise.
GPU_SHARE = 0.75
GPU = "h100"
"""The one that programs for GPUs are compiled for. What they take is taken to be the same on others."""
BYTES = TPU_BYTES | {GPU: int(79 * GIB)}
"""Of every device that programs are compiled for."""


@dataclass(frozen=True)
class Device:
    """What a render is to run on.

    Attributes:
        kind: TPU or GPU.
        name: "v5e", or that of the GPU for which programs are compiled.
        chips: how many.
        capacity: bytes of one.
    """

    kind: Literal["tpu", "gpu"]
    name: str
    chips: int
    capacity: int

    @property
    def usable(self) -> int:
        """Bytes of one that arrays and programs can have."""
        return self.capacity if self.kind == "tpu" else int(GPU_SHARE * self.capacity)


def default_mesh(chips: int) -> tuple[int, int, int]:
    """Branches, frames and rows: as docs/sharding.md advises.

    >>> default_mesh(1), default_mesh(8)
    ((1, 1, 1), (2, 4, 1))
    """
    return (1, 1, 1) if chips == 1 else (2, chips // 2, 1)


def parse_device(text: str) -> Device:
    """A device by its name: v5e:1 to v5e:32, v6e, v5p, v4, or gpu and its memory.

    >>> parse_device("v5e:1").usable / GIB, parse_device("gpu:24GB").usable / GIB
    (15.75, 18.0)
    >>> parse_device("v5e:8").chips
    8

    Raises:
        InputError: it is none of these.
    """
    tpu = re.fullmatch(r"(v5e|v6e|v5p|v4):(\d{1,5})", text)
    if tpu and int(tpu[2]) >= 1:
        if int(tpu[2]) not in TPU_TOPOLOGY[tpu[1]]:
            numbers = ", ".join(map(str, TPU_TOPOLOGY[tpu[1]]))
            raise InputError(f"--device {text}: plans are made for {numbers} chips; take one of these numbers")
        return Device("tpu", tpu[1], int(tpu[2]), TPU_BYTES[tpu[1]])
    gpu = re.fullmatch(r"gpu:(\d{1,4})GB", text, re.IGNORECASE)
    if gpu and int(gpu[1]) >= 1:
        return Device("gpu", GPU, 1, int(gpu[1]) * GIB)
    raise InputError(
        f"--device {text} is none of v5e:1, v6e:1, v5p:1, v4:1 (2 to 32 chips too) and, for a GPU of 24 GB, gpu:24GB"
    )
