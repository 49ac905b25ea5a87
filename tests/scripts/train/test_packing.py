from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from scripts.train.optimizer import make_optimizer, matrices_of, stacked_matrices_of
from scripts.train.packing import packing_of
from scripts.train.settings import OptimizerSettings


def weights(seed: int = 0) -> dict[str, jax.Array]:
    rng = np.random.default_rng(seed)
    shapes = {
        "a.weight": (6, 5),
        "b.weight": (2, 3, 5),
        "c.weight": (5, 6),
        "conv_in.weight": (3, 3, 2, 4),
        "norm.weight": (5,),
        "mix": (),
    }
    return {name: jnp.asarray(rng.standard_normal(shape), jnp.float32) for name, shape in shapes.items()}


def test_what_is_packed_comes_back_and_so_do_gradients():
    packing = packing_of(weights())
    packed = packing.pack(weights())
    assert {name: value.shape for name, value in packed.items()} == {
        "6x5": (2, 6, 5),
        "5x6": (1, 5, 6),
        "rest": (72 + 5 + 1,),
    }
    for name, value in packing.unpack(packed).items():
        np.testing.assert_array_equal(value, weights()[name])

    def loss(own):
        return sum(jnp.sum(jnp.sin(value) * len(name)) for name, value in own.items())

    expected = packing.pack(jax.grad(loss)(weights()))
    for name, value in jax.grad(lambda packed: loss(packing.unpack(packed)))(packed).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6)


@pytest.mark.full
def test_the_optimizer_makes_the_same_of_packed_weights():
    settings = OptimizerSettings(steps=0, batch=0, learning_rate=0.1)
    single = make_optimizer(settings, optax.constant_schedule(0.1), matrices_of)
    stacked = make_optimizer(settings, optax.constant_schedule(0.1), stacked_matrices_of)
    packing, own = packing_of(weights()), weights()
    packed = packing.pack(own)
    states = single.init(own), stacked.init(packed)
    updates: Any
    packed_updates: Any
    for seed in range(1, 4):
        gradient = weights(seed)
        updates, first = single.update(gradient, states[0], own)
        packed_updates, second = stacked.update(packing.pack(gradient), states[1], packed)
        states = first, second
        for name, value in packing.unpack(packed_updates).items():
            np.testing.assert_allclose(value, updates[name], rtol=1e-4, atol=1e-6)  # sums in another order
