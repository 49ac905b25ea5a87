"""The whole UNet against diffusers on random weights, and what holds of it besides."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models.attention import TemporalBasicTransformerBlock
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel

from nvs_jax.errors import InputError
from nvs_jax.models.svd.config import UNetConfig, parse_config
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.svd.unet.transformer import MixedContext
from nvs_jax.models.weights import Weights, bind, parameter_specs, random_weights
from tests.models.comparing import QUICK_COMPILE, relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, with_weights_of

TOLERANCE = 1e-4
DOWN, UP = "DownBlockSpatioTemporal", "UpBlockSpatioTemporal"
CROSS_DOWN, CROSS_UP = "CrossAttnDownBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"

VARIANTS: dict[str, dict[str, Any]] = {
    "one level": {
        "down_block_types": (CROSS_DOWN,),
        "up_block_types": (CROSS_UP,),
        "block_out_channels": (96,),
        "num_attention_heads": (3,),
        "transformer_layers_per_block": ((2, 1),),
        "layers_per_block": 1,
        "cross_attention_dim": 16,
    },
    "two levels": {
        "down_block_types": (CROSS_DOWN, DOWN),
        "up_block_types": (UP, CROSS_UP),
        "block_out_channels": (32, 64),
        "num_attention_heads": (2, 4),
        "layers_per_block": (2, 1),
        "cross_attention_dim": 24,
        "in_channels": 5,
        "out_channels": 3,
    },
    "three levels, unlike ways down and up": {
        "down_block_types": (DOWN, CROSS_DOWN, DOWN),
        "up_block_types": (CROSS_UP, UP, CROSS_UP),
        "block_out_channels": (64, 32, 96),
        "num_attention_heads": (1, 2, 3),
        "layers_per_block": (1, 2, 1),
        "cross_attention_dim": (8, 8, 8),
        "transformer_layers_per_block": ((1, 1), (2, 1, 1), (1, 2)),
        "addition_time_embed_dim": 9,
        "projection_class_embeddings_input_dim": 27,
    },
    "four levels": {"block_out_channels": (32, 32, 64, 64), "num_attention_heads": (1, 2, 2, 4), "layers_per_block": 1},
}
SHAPES = {  # batch, frames, rows, columns, context tokens
    "one level": (1, 1, 3, 5, 1),
    "two levels": (2, 4, 6, 10, 1),
    "three levels, unlike ways down and up": (2, 2, 12, 8, 3),
    "four levels": (1, 3, 16, 16, 1),
}


class Inputs(NamedTuple):
    x: jax.Array
    timestep: jax.Array
    context: jax.Array
    time_ids: jax.Array


def _published(variant: str) -> UNetSpatioTemporalConditionModel:
    defaults: dict[str, Any] = {
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 24,
        "cross_attention_dim": 12,
    }
    return UNetSpatioTemporalConditionModel(**(defaults | VARIANTS[variant]))


def _config(theirs: UNetSpatioTemporalConditionModel) -> UNetConfig:
    return parse_config(UNetConfig, {"_class_name": type(theirs).__name__, **theirs.config}, "config.json")


def _inputs(config: UNetConfig, b: int, f: int, h: int, w: int, s: int) -> Inputs:
    rng = np.random.default_rng(0)
    return Inputs(
        jnp.asarray(rng.normal(size=(b, f, h, w, config.in_channels)), jnp.float32),
        jnp.linspace(-1.2, 1.6, b),
        jnp.asarray(rng.normal(size=(b, s, config.cross_attention_dim[0])), jnp.float32),
        jnp.broadcast_to(jnp.array([6, 127, 0.02]), (b, 3)),
    )


def _run(theirs: UNetSpatioTemporalConditionModel, inputs: Inputs) -> np.ndarray:
    x, *others = map(np.asarray, inputs)
    return channels_last(theirs(channels_first(x), *map(torch.tensor, others)).sample)


@functools.cache
def _smallest() -> tuple[UNetConfig, Weights, Callable[..., jax.Array]]:
    """A network of one narrow level, its weights, and the function of these and its inputs."""
    config = UNetConfig(
        down_block_types=(DOWN,),
        up_block_types=(UP,),
        block_out_channels=(32,),
        num_attention_heads=(2,),
        layers_per_block=(1,),
        transformer_layers_per_block=((1,),),
        cross_attention_dim=(12,),
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24,
    )
    weights = random_weights(UNetSpatioTemporal(config), 0)
    return config, weights, lambda weights, *inputs: bind(UNetSpatioTemporal(config), weights)(*inputs)


# What the two have together covers the others.
QUICK = ("two levels", "three levels, unlike ways down and up")


@pytest.mark.parametrize(
    "variant", [name if name in QUICK else pytest.param(name, marks=pytest.mark.full) for name in VARIANTS]
)
def test_agrees_with_diffusers(variant):
    theirs = _published(variant)
    config = _config(theirs)
    inputs = _inputs(config, *SHAPES[variant])
    apply = with_weights_of(theirs, UNetSpatioTemporal(config))
    assert relative_error(apply(*inputs), _run(theirs, inputs)) <= TOLERANCE


def test_mixed_context_agrees_with_the_releases_layout_and_not_with_todays():
    theirs = _published("one level")
    config = _config(theirs)
    inputs = _inputs(config, 2, 2, 4, 3, 1)
    apply = with_weights_of(theirs, UNetSpatioTemporal(config))
    both = jnp.stack([inputs.context, inputs.context])
    mixed = apply(*inputs, mixed_context=MixedContext(both, jnp.arange(2)))
    unmixed = apply(*inputs, mixed_context=MixedContext(both.swapaxes(0, 1), jnp.arange(2)))
    assert relative_error(unmixed, _run(theirs, inputs)) <= TOLERANCE

    for module in theirs.modules():
        if isinstance(module, TemporalBasicTransformerBlock):
            module.register_forward_pre_hook(_location_major, with_kwargs=True)
    assert relative_error(mixed, _run(theirs, inputs)) <= TOLERANCE
    assert relative_error(unmixed, mixed) > 1e-3


def _location_major(block, args, kwargs):
    """The layout of the release's copy of diffusers: batch elements fastest."""
    batch_major = kwargs["encoder_hidden_states"].unflatten(0, (2, -1))
    return args, kwargs | {"encoder_hidden_states": batch_major.transpose(0, 1).flatten(0, 1)}


def test_published_parameters_are_all_there_and_no_others():
    with torch.device("meta"):
        theirs = UNetSpatioTemporalConditionModel(num_attention_heads=(5, 10, 20, 20))
    published = {name: tuple(tensor.shape) for name, tensor in theirs.state_dict().items()}
    specs = parameter_specs(UNetSpatioTemporal(UNetConfig()))
    assert {name: spec.published_shape for name, spec in specs.items()} == published
    assert round(sum(math.prod(spec.shape) for spec in specs.values()) / 1e9, 4) == 1.5246


@pytest.mark.full
def test_the_full_size_network_keeps_the_shape_and_dtype_of_its_input():
    config = UNetConfig()
    specs = parameter_specs(UNetSpatioTemporal(config))
    weights = {name: jax.ShapeDtypeStruct(spec.shape, jnp.float32) for name, spec in specs.items()}
    shapes = (2, 25, 72, 128, 8), (2,), (2, 1, 1024), (2, 3)
    inputs = [jax.ShapeDtypeStruct(shape, jnp.bfloat16) for shape in shapes]
    output = jax.eval_shape(
        lambda weights, *inputs: bind(UNetSpatioTemporal(config), weights)(*inputs), weights, *inputs
    )
    assert (output.shape, output.dtype) == ((2, 25, 72, 128, 4), jnp.bfloat16)


def test_large_activations_stay_finite_in_bfloat16():
    config, weights, apply = _smallest()
    inputs = _inputs(config, 1, 2, 3, 4, 1)
    y = jax.jit(apply, compiler_options=QUICK_COMPILE)(weights, (1e4 * inputs.x).astype(jnp.bfloat16), *inputs[1:])
    assert y.dtype == jnp.bfloat16
    assert jnp.isfinite(y).all()


def test_vmap_and_grad_go_through():
    config, weights, apply = _smallest()
    inputs = _inputs(config, 1, 2, 3, 4, 1)

    def loss(x: jax.Array) -> jax.Array:
        return jnp.square(apply(weights, x, *inputs[1:])).sum()

    over_videos = jax.jit(jax.vmap(jax.value_and_grad(loss)), compiler_options=QUICK_COMPILE)
    values, gradients = over_videos(jnp.stack([2 * inputs.x, inputs.x, -inputs.x]))
    steepest = jnp.linalg.norm(gradients[1])
    step = 1e-2 * gradients[1] / steepest
    around, _ = over_videos(jnp.stack([inputs.x, inputs.x + step, inputs.x - step]))
    assert relative_error(around[0], values[1]) <= 1e-5
    assert relative_error((around[1] - around[2]) / 2e-2, steepest) <= 1e-2


@pytest.mark.parametrize(("h", "w"), [(12, 10), (10, 12)])
def test_sizes_that_do_not_divide_are_refused(h, w):
    config = _config(_published("three levels, unlike ways down and up"))
    inputs = _inputs(config, 1, 1, h, w, 1)
    network = UNetSpatioTemporal(config)
    with pytest.raises(InputError, match=rf"latents of {h}x{w} do not fit this UNet.*divisible by 4"):
        network(inputs.x, inputs.timestep, inputs.context, inputs.time_ids)
