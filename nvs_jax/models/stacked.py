"""Layers of one shape as one, whose parameters lie side by side: a deep network compiles as fast as a shallow one."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
from flax import nnx

from nvs_jax.models.weights import ParameterSpec
from nvs_jax.sharding import constrain

Carry = TypeVar("Carry")
Parameters = Any
"""A pytree; every leaf [layers, ...]."""


class Stacked(nnx.Module):
    """So many layers like the one given.

    The parameters of layer 0, 1, ... lie along a first axis of those of `each`: "each" in a name stands for the number
    that published names have there.

    Args:
        layer: of which there are many.
        layers: how many.
    """

    def __init__(self, layer: nnx.Module, layers: int):
        graphdef, state = nnx.split(layer)
        flat = [(path, _repeated(parameter, layers)) for path, parameter in nnx.to_flat_state(state)]
        self.each = nnx.merge(graphdef, nnx.from_flat_state(flat))

    def parts(self) -> tuple[Callable[[Parameters], Any], Parameters]:
        """How a layer is made of its parameters, and the parameters of all.

        On a mesh each device has all of a layer's parameters while it is at it, and of the others what is its own.
        """
        graphdef, parameters = nnx.split(self.each)

        def make(own: Parameters) -> Any:
            return nnx.merge(graphdef, jax.tree.map(lambda leaf: constrain(leaf, "replicated"), own))

        return make, parameters

    def through(self, step: Callable[[Any, Carry], Carry], x: Carry, *, remat: bool = False) -> Carry:
        """`x` through all layers, one after the other.

        Args:
            step: applies a layer.
            x: what goes through.
            remat: for gradients, compute what is inside a layer again instead of keeping it.
        """
        make, parameters = self.parts()

        def one(x: Carry, own: Parameters) -> tuple[Carry, None]:
            return step(make(own), x), None

        return jax.lax.scan(again(one) if remat else one, x, parameters)[0]


def again(body: Callable[..., Any]) -> Callable[..., Any]:
    """The body of a loop, which keeps only what it begins with for gradients, and is computed again for them."""
    return jax.checkpoint(body, prevent_cse=False)


def of_layer(name: str, index: int) -> str:
    """The name that a parameter of a stack has in one layer.

    >>> of_layer("blocks.each.attn1.to_q.weight", 3)
    'blocks.3.attn1.to_q.weight'
    """
    return name.replace(".each.", f".{index}.", 1)


def is_of_stack(name: str) -> bool:
    """Whether a parameter, by its name, is of many layers.

    >>> is_of_stack("transformer/blocks.each.ffn.net.2.weight"), is_of_stack("transformer/proj_out.weight")
    (True, False)
    """
    return ".each." in name


def layer_names(name: str, spec: ParameterSpec) -> list[str]:
    """The names of a parameter in every layer that it is of, or its own.

    >>> layer_names("blocks.each.scale", ParameterSpec((2, 3), (0,), layers=2))
    ['blocks.0.scale', 'blocks.1.scale']
    """
    return [of_layer(name, index) for index in range(spec.layers)] or [name]


def of_single_layers(specs: Mapping[str, ParameterSpec]) -> dict[str, ParameterSpec]:
    """The same parameters, those of a stack layer by layer: as many as there are published tensors."""
    return {
        each: ParameterSpec(spec.layer_shape, spec.published_axes)
        for name, spec in specs.items()
        for each in layer_names(name, spec)
    }


def _repeated(parameter: nnx.Param, layers: int) -> nnx.Param:
    one = parameter.get_value()
    metadata = parameter.get_metadata()
    assert not metadata.get("layers"), "a stack of stacks has no published name"
    return nnx.Param(
        jax.ShapeDtypeStruct((layers, *one.shape), one.dtype), published_axes=metadata["published_axes"], layers=layers
    )
