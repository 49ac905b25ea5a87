"""Weights as a flat dict keyed by the published names, and how a module meets them.

A network is a configuration (static) and such a dict (a pytree). Inside jit, `bind(UNet(config), weights)` gives the
module to call; building it costs milliseconds of tracing and nothing at run time.
"""

import math
import os
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.errors import InputError

Weights = dict[str, Float[Array, "..."]]
Module = TypeVar("Module", bound=nnx.Module)


class ParameterSpec(NamedTuple):
    """What a parameter must look like.

    Attributes:
        shape: ours.
        published_axes: the published tensor's axes in our order.
        layers: how many layers it is of, side by side along its first axis, which no published tensor has; 0: of one.
    """

    shape: tuple[int, ...]
    published_axes: tuple[int, ...]
    layers: int = 0

    @property
    def layer_shape(self) -> tuple[int, ...]:
        """Our shape, of one layer."""
        return self.shape[1:] if self.layers else self.shape

    @property
    def published_shape(self) -> tuple[int, ...]:
        """Shape of the tensor in the published file."""
        shape = [0] * len(self.layer_shape)
        for ours, theirs in enumerate(self.published_axes):
            shape[theirs] = self.layer_shape[ours]
        return tuple(shape)


def _flat(module: nnx.Module) -> tuple[nnx.GraphDef, list[tuple[str, tuple, nnx.Param]]]:
    graphdef, state = nnx.split(module)
    return graphdef, [(".".join(map(str, path)), path, param) for path, param in nnx.to_flat_state(state)]


def parameter_specs(module: nnx.Module) -> dict[str, ParameterSpec]:
    """Every parameter of `module`, keyed by its published name."""
    return {
        name: ParameterSpec(tuple(param.get_value().shape), said["published_axes"], said.get("layers", 0))
        for name, _, param in _flat(module)[1]
        for said in [param.get_metadata()]
    }


def bind(module: Module, weights: Mapping[str, Array]) -> Module:
    """`module` with its parameters taken from `weights` (exactly its names; arrays or tracers).

    Raises:
        KeyError: a parameter of the module is not in `weights`.
    """
    graphdef, parameters = _flat(module)
    state = nnx.from_flat_state([(path, param.replace(weights[name])) for name, path, param in parameters])
    return nnx.merge(graphdef, state)


def require_finite(name: str, values: Array | np.ndarray, where: str | os.PathLike[str]) -> None:
    """Refuse a parameter with a value that is none; on the host: a thousand shapes would be as many programs.

    Args:
        name: of the parameter.
        values: its own; of an array that is spread over devices, what the first one here holds.
        where: what it was read from.

    Raises:
        InputError: a value is NaN or infinite.
    """
    here = np.asarray(values.addressable_data(0) if isinstance(values, jax.Array) else values)
    finite = np.isfinite(here)
    if not finite.all():
        raise InputError(
            f"{where}: {here.size - np.count_nonzero(finite)} of {here.size} values of {name} are NaN or infinite, as "
            f"{here.dtype}: download or convert it again, or give a wider --dtype"
        )


def random_weights(module: nnx.Module, seed: int) -> Weights:
    """Weights with which signals keep their size: matrices N(0, 1/fan_in), norms 1, biases 0.

    For tests, benchmarks at full size and the start of training. Drawn with numpy: hundreds of shapes would be as many
    programs to compile.
    """
    rng = np.random.default_rng(seed)
    weights = {}
    for name, spec in parameter_specs(module).items():
        fan_in = math.prod(spec.layer_shape[:-1])
        if fan_in > 1:
            scale = fan_in**-0.5
            weights[name] = jnp.asarray(rng.standard_normal(spec.shape, np.float32) * np.float32(scale))
        else:
            gain = "norm" in name and name.endswith(("weight", "gamma"))
            weights[name] = jnp.asarray(np.full(spec.shape, float(gain), np.float32))
    return weights
