"""Devices a plan is made for, and what they hold. No JAX here."""

import re
from dataclasses import dataclass
from typing import Literal

from nvs_jax.errors import InputError

GIB = 2**30

# What a program may use of a chip, as the TPU compiler counts it: a little less than what is sold.
TPU_BYTES = {"v5e": int(15.75 * GIB), "v6e": int(31.25 * GIB), "v5p": int(95.74 * GIB)}
TPU_TOPOLOGY = {"v5e": "v5e:2x2", "v6e": "v6e:2x2", "v5p": "v5p:2x2x1"}
"""The smallest slice the compiler has a description of; a plan uses as many of its chips as it needs."""

# JAX takes this share of a GPU when it starts, unless XLA_PYTHON_CLIENT_MEM_FRACTION says otherwise.
GPU_SHARE = 0.75


@dataclass(frozen=True)
class Device:
    """What a render is to run on.

    Attributes:
        kind: TPU or GPU.
        name: "v5e", or "gpu".
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


def parse_device(text: str) -> Device:
    """A device by its name: v5e:1, v6e:1, v5p:1, or gpu and its memory.

    >>> parse_device("v5e:1").usable / GIB, parse_device("gpu:24GB").usable / GIB
    (15.75, 18.0)

    Raises:
        InputError: it is none of these.
    """
    tpu = re.fullmatch(r"(v5e|v6e|v5p):(\d{1,5})", text)
    if tpu and int(tpu[2]) >= 1:
        if int(tpu[2]) > 1:
            raise InputError(f"--device {text}: plans for several chips are not made yet; one is {tpu[1]}:1")
        return Device("tpu", tpu[1], 1, TPU_BYTES[tpu[1]])
    gpu = re.fullmatch(r"gpu:(\d{1,4})GB", text, re.IGNORECASE)
    if gpu and int(gpu[1]) >= 1:
        return Device("gpu", "gpu", 1, int(gpu[1]) * GIB)
    raise InputError(f"--device {text} is none of v5e:1, v6e:1, v5p:1 and, for a GPU of 24 GB, gpu:24GB")
