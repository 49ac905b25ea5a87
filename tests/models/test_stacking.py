from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

from nvs_jax.models.stacking import _with_layer, cut, joined, of_layers
from nvs_jax.models.weights import ParameterSpec


def specs_of(name: str, shape: tuple[int, ...]) -> dict[str, ParameterSpec]:
    return {name: ParameterSpec(shape, tuple(range(len(shape) - 1)), layers=shape[0])}


def test_stacks_are_cut_into_layers_under_their_own_names():
    specs = specs_of("blocks.each.scale", (3, 2)) | {"last": ParameterSpec((2,), (0,))}
    stack, last = jnp.arange(6.0).reshape(3, 2), jnp.ones(2)
    found = dict(cut([("blocks.each.scale", stack), ("last", last)], specs))
    assert list(found) == ["blocks.0.scale", "blocks.1.scale", "blocks.2.scale", "last"]
    np.testing.assert_array_equal(found["blocks.1.scale"], [2, 3])
    assert list(cut(found.items(), specs)) == list(found.items())


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_layers_are_joined_in_whatever_order_they_come(dtype):
    specs = specs_of("blocks.each.scale", (3, 2)) | {"last": ParameterSpec((2,), (0,))}
    weights = {"blocks.each.scale": jnp.arange(6, dtype=dtype).reshape(3, 2), "last": jnp.ones(2, dtype)}
    for order in permutations(cut(weights.items(), specs)):
        found = dict(joined(order, specs, "net"))
        assert found.keys() == weights.keys()
        for name, array in weights.items():
            assert found[name].dtype == dtype
            np.testing.assert_array_equal(found[name], array)
    assert list(joined(weights.items(), specs, "net")) == list(weights.items())


def test_layers_of_several_dtypes_are_joined_in_that_of_the_first():
    specs = specs_of("blocks.each.scale", (2, 2))
    layers = [("blocks.0.scale", jnp.ones(2, "bfloat16")), ("blocks.1.scale", jnp.full(2, 0.5, "float32"))]
    for order in (layers, layers[::-1]):
        found = dict(joined(order, specs, "net"))["blocks.each.scale"]
        assert found.dtype == order[0][1].dtype
        np.testing.assert_array_equal(found, [[1, 1], [0.5, 0.5]])


def test_layers_go_where_their_stack_goes_without_its_first_axis():
    mesh, specs = Mesh(np.array(jax.devices()[:1]), ("devices",)), specs_of("blocks.each.w", (3, 4, 2))
    asked = []

    def divided(name: str, shape: tuple[int, ...]) -> NamedSharding:
        asked.append((name, shape))
        return NamedSharding(mesh, P(None, None, "devices"))

    layers = of_layers(divided, specs, "net")
    assert layers("net/blocks.1.w", (4, 2)) == NamedSharding(mesh, P(None, "devices"))
    assert layers("net/other", (4, 2, 2)) == NamedSharding(mesh, P(None, None, "devices"))
    assert asked == [("net/blocks.each.w", (3, 4, 2)), ("net/other", (4, 2, 2))]
    alone = SingleDeviceSharding(jax.devices()[0])
    assert of_layers(lambda *_: alone, specs, "net")("net/blocks.1.w", (4, 2)) == alone


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_stack_is_filled_in_its_own_memory(dtype):
    """Nothing has room for the largest arrays of all twice."""
    stack, layer = (jax.ShapeDtypeStruct(shape, dtype) for shape in ((30, 64, 128), (64, 128)))
    memory = _with_layer.lower(stack, layer, 3).compile().memory_analysis()
    assert memory is not None
    assert memory.alias_size_in_bytes == memory.output_size_in_bytes
    assert memory.temp_size_in_bytes < memory.output_size_in_bytes / 30
