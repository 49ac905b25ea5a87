"""From a published file to the devices, one tensor at a time: read, permute, cast, place, drop."""

from typing import Any

import jax
import numpy as np
from flax import nnx

from convert.key_table import KeyTable, match
from convert.tensor_files import TensorFiles
from nvs_jax.models.svd.config import ImageEncoderConfig, UNetConfig, VAEConfig
from nvs_jax.models.svd.image_encoder import ImageEncoder
from nvs_jax.models.svd.networks import WeightSharding, held_dtype
from nvs_jax.models.svd.unet import UNetSpatioTemporal
from nvs_jax.models.svd.vae import VAE
from nvs_jax.models.weights import Weights, parameter_specs


def build(config: UNetConfig | VAEConfig | ImageEncoderConfig) -> nnx.Module:
    """The module, without values, that a configuration describes."""
    if isinstance(config, UNetConfig):
        return UNetSpatioTemporal(config)
    return VAE(config) if isinstance(config, VAEConfig) else ImageEncoder(config)


def transfer(
    tensors: TensorFiles,
    table: KeyTable,
    module: nnx.Module,
    component: str,
    dtype: Any = None,
    sharding: WeightSharding | None = None,
) -> Weights:
    """The weights of `module` out of published tensors, which must match it key for key.

    Args:
        tensors: the published tensors.
        table: which of them becomes which parameter.
        module: the network, for its parameters' names, shapes and axes.
        component: "unet", "vae" or "image_encoder".
        dtype: see `nvs_jax.models.svd.networks.held_dtype`.
        sharding: where each parameter goes; None puts all on the default device.

    Raises:
        InputError: the tensors do not fit; see `convert.key_table.match`.
    """
    specs = parameter_specs(module)
    weights = {}
    for name, key in match(table, tensors.tensors, specs, tensors.name).items():
        published = tensors.read(key)
        held = held_dtype(component, published.dtype, dtype)
        ours = np.ascontiguousarray(published.transpose(specs[name].published_axes), held)
        weights[name] = jax.device_put(ours, sharding(f"{component}/{name}") if sharding else None)
    return weights
