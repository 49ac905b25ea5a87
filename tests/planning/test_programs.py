"""The programs of a plan: what is counted, and that they are the pipeline's."""

import math

import jax
import numpy as np
import pytest

from nvs_jax.models.svd.networks import CONFIG_CLASSES
from nvs_jax.planning.compiling import compile_program
from nvs_jax.planning.programs import Model, build_program
from nvs_jax.planning.request import PROGRAMS, Program, Request
from tests.convert.published import CONFIGS

TINY = Model(configs=tuple(CONFIGS.items()))
SMALL = Request(frames=3, height=64, width=64, dtype="float32")


def test_parameters_of_svd_xt():
    model = Model()
    assert model.parameters("unet") == 1_524_623_082
    assert model.weight_bytes("unet", "bfloat16") == 2 * 1_524_623_082
    assert model.weight_bytes("vae", "bfloat16") == 4 * model.parameters("vae")


@pytest.mark.full
@pytest.mark.parametrize("request_", [SMALL, Request(3, 64, 64, "bfloat16", "post", "full", True, 2, (32, 32), 8)])
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_can_be_lowered(program, request_):
    placed = []
    sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])

    def place(name, shape):
        placed.append(name)
        return sharding

    abstract = build_program(program, TINY, request_, place)
    assert set(abstract.donated) <= set(abstract.arguments)
    assert len(placed) == len(jax.tree.leaves(abstract.arguments))
    assert any(name.startswith(f"{TINY.family.uses[program]}/") for name in placed)
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(abstract.arguments))
    assert "main" in abstract.lower().as_text()


def test_memory_is_the_compilers():
    memory = compile_program(build_program("embed", TINY, SMALL)).memory
    weights = TINY.weight_bytes("image_encoder", "float32")
    assert memory.arguments == pytest.approx(weights + 64 * 64 * 3 * 4, rel=0.01)
    assert memory.outputs == 4 * CONFIGS["image_encoder"].projection_dim
    assert memory.total >= memory.arguments + memory.outputs


def test_components_are_the_models():
    assert set(TINY.family.uses.values()) == set(CONFIG_CLASSES)
    for component in CONFIG_CLASSES:
        count = sum(math.prod(np.shape(leaf)) for leaf in jax.tree.leaves(_weights(component)))
        assert TINY.parameters(component) == count


def _weights(component):
    program: Program = next(name for name in PROGRAMS if TINY.family.uses[name] == component)
    return build_program(program, TINY, SMALL).arguments["weights"]
