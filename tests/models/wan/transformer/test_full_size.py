"""The published transformers at the size they were made for, as shapes: what they compute, and what they keep."""

import jax
import jax.numpy as jnp
import pytest

from convert.wan_layout import read_configs
from nvs_jax.configs import configs_folder
from nvs_jax.models.wan.transformer.network import WanTransformer
from nvs_jax.models.weights import bind, parameter_specs
from nvs_jax.planning.work import count_work

# Operations of an evaluation (a branch of classifier-free guidance) of diffusers' networks, counted in PyTorch.
TERA = {
    ("wan2_1_t2v_1_3b", 81, 60, 104): 283,
    ("wan2_1_t2v_1_3b", 25, 60, 104): 50.5,
    ("wan2_1_vace_1_3b", 81, 60, 104): 427,
    ("wan2_1_i2v_14b_480p", 81, 60, 104): 1686,
    ("wan2_2_ti2v_5b", 121, 44, 80): 517,
}


@pytest.mark.parametrize(("model", "frames", "rows", "columns"), TERA)
def test_an_evaluation_takes_as_many_operations_as_published_networks(model, frames, rows, columns):
    config = read_configs(configs_folder("models") / model)["transformer"]
    network = WanTransformer(config)

    def shape(*size: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(size, jnp.bfloat16)

    given = {}
    if config.image_dim is not None:
        given["image"] = shape(1, 257, config.image_dim)
    video = 1, 1 + (frames - 1) // 4, rows, columns
    if config.vace_layers:
        given["control"] = shape(*video, config.vace_in_channels)
    weights = {name: shape(*spec.shape) for name, spec in parameter_specs(network).items()}
    time = jax.ShapeDtypeStruct((1, 1), jnp.float32)
    traced = jax.jit(lambda weights, x, time, text, given: bind(network, weights)(x, time, text, **given)).trace(
        weights, shape(*video, config.in_channels), time, shape(1, 512, config.text_dim), given
    )
    work = count_work(traced.jaxpr)
    assert (work.products + work.attention) / 1e12 == pytest.approx(TERA[model, frames, rows, columns], rel=0.02)
