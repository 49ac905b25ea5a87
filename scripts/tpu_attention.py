"""Memory of every attention back end on a TPU, compiled on a machine without one.

Needs libtpu (`pip install libtpu`); nothing is run. For example:

    JAX_PLATFORMS=cpu TPU_SKIP_MDS_QUERY=1 ALLOW_MULTIPLE_LIBTPU_LOAD=1 python scripts/tpu_attention.py
"""

from dataclasses import dataclass
from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jax.experimental.topologies import get_topology_desc
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from nvs_jax.models.attention import Backend, attention


@dataclass(frozen=True)
class Report:
    """What to compile."""

    topology: str = "v5e:2x4"
    """The TPU, as libtpu names it; one of its chips is used."""
    shape: tuple[int, int, int, int] = (2, 9216, 5, 64)
    """Batch, tokens, heads, width of a head. The default is the UNet's finest level at 576x1024, two frames of it."""
    dtype: str = "bfloat16"
    """Of queries, keys and values."""


def main(report: Report) -> None:
    """Print a table: back end, temporary memory of the forward pass and of the gradient."""
    device = get_topology_desc(platform="tpu", topology_name=report.topology).devices[0]
    sharding = NamedSharding(Mesh(np.array([device]), ("one",)), PartitionSpec())
    argument = jax.ShapeDtypeStruct(report.shape, jnp.dtype(report.dtype), sharding=sharding)
    print(f"{report.topology}, {report.shape}, {report.dtype}: temporary MiB forward, with gradient")
    for backend in get_args(Backend):
        if backend != "cudnn":
            forward = partial(attention, backend=backend)
            print(f"{backend:8} {_temporary(forward, argument):>10} {_temporary(_gradient(forward), argument):>10}")


def _gradient(forward):
    return jax.grad(lambda *qkv: forward(*qkv).astype(jnp.float32).sum(), argnums=(0, 1, 2))


def _temporary(function, argument: jax.ShapeDtypeStruct) -> str:
    """MiB beyond arguments and results, or why it cannot be compiled."""
    try:
        memory = jax.jit(function).lower(argument, argument, argument).compile().memory_analysis()
    except jax.errors.JaxRuntimeError as error:
        return str(error).split(":", 1)[0]
    assert memory is not None, "this compiler does not tell how much memory it needs"
    return f"{memory.temp_size_in_bytes / 2**20:.1f}"


if __name__ == "__main__":
    main(tyro.cli(Report))
