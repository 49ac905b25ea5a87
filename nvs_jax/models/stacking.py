"""Stacks of layers (`nvs_jax.models.stacked`) a layer at a time, which is how files keep them.

They are the largest arrays by far. What is only passed on stays in layers; what is used is made once, where it is to
be, and filled layer by layer, so that nothing takes the room of a stack twice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec, Sharding
from jaxtyping import Array, Float, Int

from nvs_jax.models.networks import WeightSharding
from nvs_jax.models.stacked import layer_names
from nvs_jax.models.weights import ParameterSpec


def cut(weights: Iterable[tuple[str, Array]], specs: Mapping[str, ParameterSpec]) -> Iterator[tuple[str, Array]]:
    """Weights by name, whole stacks layer by layer; what comes in layers stays so.

    Args:
        weights: of a network, in any order.
        specs: of its parameters.
    """
    for name, array in weights:
        spec = specs.get(name)
        if spec is None or not spec.layers:
            yield name, array
        else:
            for index, each in enumerate(layer_names(name, spec)):
                yield each, array[index]
        del array  # or it would be held until the next has been read


def joined(
    weights: Iterable[tuple[str, Array]],
    specs: Mapping[str, ParameterSpec],
    component: str,
    sharding: WeightSharding | None = None,
) -> Iterator[tuple[str, Array]]:
    """The inverse of `cut`; what comes whole stays so.

    Args:
        weights: of a network, in any order; layers lie where `of_layers` says.
        specs: of its parameters.
        component: what `sharding` knows the network by.
        sharding: where each parameter goes; None puts all on the default device.
    """
    homes = {each: (name, index) for name, index, each in _layers(specs)}
    stacks: dict[str, Array] = {}
    filled: Counter[str] = Counter()
    for name, array in weights:
        if name not in homes:
            yield name, array
            continue
        stack, index = homes[name]
        shape = specs[stack].shape
        if stack not in stacks:
            place = sharding(f"{component}/{stack}", shape) if sharding else None
            stacks[stack] = jnp.zeros(shape, array.dtype, device=place)
        # Without waiting, layers that are not yet in their place would pile up.
        stacks[stack] = jax.block_until_ready(_with_layer(stacks[stack], array, index))
        filled[stack] += 1
        if filled[stack] == specs[stack].layers:
            yield stack, stacks.pop(stack)


def of_layers(sharding: WeightSharding, specs: Mapping[str, ParameterSpec], component: str) -> WeightSharding:
    """Where single layers go, by their names, if stacks go where `sharding` says: what is divided remains so.

    Args:
        sharding: where each parameter goes.
        specs: of the network's parameters.
        component: what `sharding` knows the network by.
    """
    homes = {f"{component}/{each}": name for name, _, each in _layers(specs)}

    def place(name: str, shape: tuple[int, ...]) -> Sharding:
        if name not in homes:
            return sharding(name, shape)
        whole = sharding(f"{component}/{homes[name]}", specs[homes[name]].shape)
        if not isinstance(whole, NamedSharding):
            return whole
        return NamedSharding(whole.mesh, PartitionSpec(*whole.spec[1:]), memory_kind=whole.memory_kind)

    return place


def _layers(specs: Mapping[str, ParameterSpec]) -> Iterator[tuple[str, int, str]]:
    """The name of every stack with the number and the name of each of its layers."""
    for name, spec in specs.items():
        if spec.layers:
            yield from ((name, index, each) for index, each in enumerate(layer_names(name, spec)))


@partial(jax.jit, donate_argnums=0)
def _with_layer(stack: Float[Array, "layers ..."], layer: Float[Array, "..."], index: int | Int[Array, ""]) -> Array:
    """A stack with one of its layers, in the stack's own memory and dtype: that of the layer that came first."""
    fill = partial(jax.lax.dynamic_update_index_in_dim, axis=0)

    def as_integers(stack: Array, layer: Array, index: Array) -> Array:
        bits = jnp.dtype(f"uint{8 * stack.dtype.itemsize}")
        filled = fill(*(jax.lax.bitcast_convert_type(each, bits) for each in (stack, layer)), index)
        return jax.lax.bitcast_convert_type(filled, stack.dtype)

    # CPUs would turn the whole stack from bfloat16 into float32 and back; TPUs would copy it for integers.
    return jax.lax.platform_dependent(
        stack, layer.astype(stack.dtype), jnp.asarray(index), cpu=as_integers, default=fill
    )
