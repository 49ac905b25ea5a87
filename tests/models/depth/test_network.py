"""The networks against transformers' on random weights, whole and in parts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from nvs_jax.models.depth.config import parse_depth_config
from nvs_jax.models.depth.network import DepthAnything
from nvs_jax.models.weights import Weights, bind, parameter_specs
from tests.models.comparing import QUICK_COMPILE, relative_error
from tests.models.depth.folders import config
from tests.models.depth.published import network, published_name
from tests.models.svd.torch_parity import channels_first

CONFIGS = {
    "relative": config(),
    "metric": config(depth_estimation_type="metric", max_depth=20, hidden_size=48, reassemble_hidden_size=48),
    "deeper, other features": config(
        num_hidden_layers=6,
        out_indices=[2, 3, 5, 6],
        neck_hidden_sizes=[16, 24, 8, 32],
        num_attention_heads=2,
        fusion_hidden_size=24,
        head_in_index=2,
        layer_norm_eps=1e-5,
    ),
}
# Square as in training, where positions are taken as they are; interpolated to more and to fewer, not square.
SIZES = {"relative": (70, 70), "metric": (84, 126), "deeper, other features": (56, 42)}


def weights_of(theirs: torch.nn.Module, ours: DepthAnything) -> Weights:
    tensors = {published_name(name): tensor.numpy() for name, tensor in theirs.state_dict().items()}
    specs = parameter_specs(ours)
    assert set(tensors) - set(specs) == {"backbone.embeddings.mask_token"} and set(specs) <= set(tensors)
    return {name: jnp.asarray(tensors[name].transpose(spec.published_axes)) for name, spec in specs.items()}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_whole_network_agrees_with_transformers(name: str):
    size = SIZES[name]
    theirs = network(CONFIGS[name])
    ours = DepthAnything(parse_depth_config(CONFIGS[name], name))
    pixels = np.random.default_rng(0).standard_normal((2, *size, 3), np.float32)
    run = jax.jit(lambda weights, pixels: bind(ours, weights)(pixels), compiler_options=QUICK_COMPILE)
    expected = theirs(channels_first(pixels)).predicted_depth.numpy()
    assert expected.std() > 0.01 * expected.max() and expected.shape == (2, *size)
    # Float32 sums in another order.
    assert relative_error(run(weights_of(theirs, ours), pixels), expected) < 1e-5


def test_the_positions_are_interpolated_as_in_transformers():
    theirs = network(CONFIGS["relative"])
    ours = DepthAnything(parse_depth_config(CONFIGS["relative"], ""))
    bound = bind(ours, weights_of(theirs, ours))
    for rows, columns in [(5, 5), (5, 9), (7, 3), (11, 11), (1, 4)]:
        tokens = torch.zeros(1, rows * columns + 1, 32)
        expected = theirs.backbone.embeddings.interpolate_pos_encoding(tokens, 14 * rows, 14 * columns)
        assert relative_error(bound.backbone.embeddings.positions(rows, columns), expected.numpy()) < 1e-6
