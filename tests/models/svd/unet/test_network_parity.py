"""The UNet of the parity files, read from disk, against diffusers."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from safetensors.numpy import load_file

from nvs_jax.models.svd.config import UNetConfig, read_config
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.weights import bind, parameter_specs
from tests.models.comparing import QUICK_COMPILE, relative_error
from tests.models.svd.torch_parity import channels_first, channels_last


def test_the_tiny_unet_agrees_with_diffusers_on_25_frames(parity):
    folder = parity / "svd-tiny" / "unet"
    theirs = UNetSpatioTemporalConditionModel.from_pretrained(folder).eval().requires_grad_(False)
    network = UNetSpatioTemporal(read_config(UNetConfig, folder / "config.json"))
    published = load_file(folder / "diffusion_pytorch_model.safetensors")
    specs = parameter_specs(network)
    assert set(specs) == set(published)
    weights = {name: jnp.asarray(published[name].transpose(spec.published_axes)) for name, spec in specs.items()}

    # At 8x8 the lowest level is one cell, and a group there two numbers: normalised, nothing but noise remains of them
    # where they are close (diffusers in float32 is 8e-4 away from itself in float64). At 16x16 it is 2x2.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 25, 16, 16, 8)).astype(np.float32)
    others = [np.array([0.7]), rng.normal(size=(1, 1, 32)), np.array([[6, 127, 0.02]])]
    others = [array.astype(np.float32) for array in others]
    expected = channels_last(theirs(channels_first(x), *map(torch.from_numpy, others)).sample)
    apply = jax.jit(lambda weights, *inputs: bind(network, weights)(*inputs), compiler_options=QUICK_COMPILE)
    assert relative_error(apply(weights, x, *others), expected) <= 1e-5
