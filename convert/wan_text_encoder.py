"""Wan's text encoder out of its files, a layer at a time: it has 11 GB, and is used for a few short texts."""

from collections.abc import Callable, Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from convert.key_table import Taken
from convert.tensor_files import TensorFiles
from nvs_jax.models.layers import RMSNorm
from nvs_jax.models.umt5.config import TextEncoderConfig
from nvs_jax.models.umt5.encoder import Block, distance_buckets
from nvs_jax.models.weights import Weights, bind, parameter_specs, require_finite

_TABLE, _LAYERS, _LAST = "shared.weight", "encoder.block", "encoder.final_layer_norm"


def encode(
    tensors: TensorFiles,
    taken: Mapping[str, Taken],
    config: TextEncoderConfig,
    tokens: Int[np.ndarray, "b s"],
    present: Bool[np.ndarray, "b s"],
) -> Float[Array, "b s d"]:
    """As `nvs_jax.models.umt5.encoder.TextEncoder`, in float32, with one layer in memory.

    What is padding in all texts is left out: most of 512 tokens, which would cost as much as words.

    Args:
        tensors: the published tensors.
        taken: where each parameter comes from, layer by layer.
        config: of the encoder.
        tokens: their numbers.
        present: which of them belong to the text.

    Raises:
        InputError: a value is NaN or infinite.
    """

    def read(name: str, build: Callable[[], nnx.Module]) -> Weights:
        weights = {}
        for own, spec in parameter_specs(build()).items():
            key, change = taken[f"{name}.{own}"]
            values = change.apply(tensors.read(key)).transpose(spec.published_axes)
            require_finite(key, values, tensors.name)
            weights[own] = jnp.asarray(values, jnp.float32)
        return weights

    used = 1 + int(np.flatnonzero(present.any(0)).max(initial=0))
    x = jnp.asarray(tensors.read_rows(taken[_TABLE].key, tokens[:, :used]), jnp.float32)
    buckets, mask = jnp.asarray(distance_buckets(used, config)), jnp.asarray(present[:, :used])
    for layer in range(config.num_layers):
        x = jax.block_until_ready(_layer(read(f"{_LAYERS}.{layer}", partial(Block, config)), x, buckets, mask, config))
    norm = partial(RMSNorm, config.d_model, config.layer_norm_epsilon)
    y = jnp.where(mask[..., None], bind(norm(), read(_LAST, norm))(x), 0)
    return jnp.pad(y, ((0, 0), (0, tokens.shape[1] - used), (0, 0)))


@partial(jax.jit, static_argnames="config")
def _layer(weights: Weights, x: Array, buckets: Array, present: Array, config: TextEncoderConfig) -> Array:
    return bind(Block(config), weights)(x, buckets, present)
