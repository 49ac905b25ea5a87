import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.models.layers import Linear
from nvs_jax.models.stacked import Stacked, of_layer
from nvs_jax.models.weights import bind, parameter_specs, random_weights


def test_goes_through_layers_in_order():
    stack, linear = Stacked(Linear(3, 3), 4), Linear(3, 3)
    weights = random_weights(stack, 0)
    x = jnp.arange(6.0).reshape(2, 3)
    ours = bind(stack, weights).through(lambda layer, x: jnp.tanh(layer(x)), x)
    for layer in range(4):
        x = jnp.tanh(bind(linear, {name.removeprefix("each."): value[layer] for name, value in weights.items()})(x))
    np.testing.assert_allclose(ours, x, rtol=1e-6)


def test_parameters_say_of_how_many_layers_they_are_and_how_each_is_published():
    spec = parameter_specs(Stacked(Linear(3, 5), 4))["each.weight"]
    assert (spec.shape, spec.layers, spec.layer_shape, spec.published_shape) == ((4, 3, 5), 4, (3, 5), (5, 3))
    alone = parameter_specs(Linear(3, 5))["weight"]
    assert (alone.layers, alone.layer_shape) == (0, (3, 5))


def test_random_weights_of_a_stack_are_as_large_as_those_of_a_layer():
    deep, shallow = (random_weights(Stacked(Linear(64, 64), layers), 0)["each.weight"] for layers in (50, 1))
    assert float(deep.std()) == pytest.approx(float(shallow.std()), rel=0.05)


def test_only_the_stack_is_numbered():
    assert of_layer("blocks.each.norm.weight", 12) == "blocks.12.norm.weight"
    assert of_layer("proj_out.weight", 12) == "proj_out.weight"


@pytest.mark.parametrize("remat", [False, True])
def test_gradients_reach_every_layer(remat):
    stack = Stacked(Linear(3, 3), 4)
    weights = random_weights(stack, 0)

    def loss(weights):
        return bind(stack, weights).through(lambda layer, x: jnp.tanh(layer(x)), jnp.ones((1, 3)), remat=remat).sum()

    gradient = jax.grad(loss)(weights)["each.weight"]
    assert bool((jnp.abs(gradient).max((1, 2)) > 0).all())
