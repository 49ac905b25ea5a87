"""Random weights at full size in seconds: neither a disk nor a compiler takes part.

Numbers are drawn once. Every parameter is a piece of them, scaled by a power of two through the exponents' bits, so
that signals keep their size to within a factor of 2^(1/4). No value is zero, and none is denormal: with those a product
would be faster, and cooler, than with a trained network's.
"""

import math

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from flax import nnx
from jaxtyping import UInt16

from nvs_jax.models.weights import Weights, parameter_specs

Bits = UInt16[np.ndarray, "n"]
_EXPONENT = 7
"""Bits of a bfloat16 below its exponent."""
_SMALLEST = 107 << _EXPONENT
"""2^-20: what is smaller is raised to it, so that exponents can be taken from."""


def draw(count: int, seed: int = 0) -> tuple[Bits, Bits]:
    """Normal numbers as bits of bfloat16: of variance 1, and of variance 1/2."""
    normal = np.random.default_rng(seed).standard_normal(count, np.float32)
    return _bits(normal), _bits(normal * np.float32(2**-0.5))


def _bits(values: np.ndarray) -> Bits:
    bits = values.astype(ml_dtypes.bfloat16).view(np.uint16)
    small = (bits & 0x7FFF) < _SMALLEST
    return np.where(small, (bits & 0x8000) | _SMALLEST, bits).astype(np.uint16)


def scaled(bits: Bits, halvings: int) -> Bits:
    """The numbers times 2^-halvings, at most 80 of them.

    >>> one = np.ones(1, ml_dtypes.bfloat16).view(np.uint16)
    >>> float(scaled(one, 3).view(ml_dtypes.bfloat16)[0])
    0.125
    """
    return bits - np.uint16(halvings << _EXPONENT)


def quick_weights(module: nnx.Module, dtype: str, tile: tuple[Bits, Bits], seed: int = 0) -> Weights:
    """Weights of a network on the device, of about variance 1 / fan_in; norms 1, biases 0.

    Layers that lie side by side (`nvs_jax.models.stacked`) have one layer's numbers each, so that a network of many
    billions is drawn, and sent, as one of few.

    Args:
        module: the network.
        dtype: "bfloat16" or "float32".
        tile: from `draw`; larger than any parameter is best, else it is repeated.
        seed: of where in it a parameter begins.
    """
    rng = np.random.default_rng(seed)
    return {
        name: jnp.broadcast_to(jax.device_put(_parameter(name, spec.layer_shape, dtype, tile, rng)), spec.shape)
        for name, spec in parameter_specs(module).items()
    }


def _parameter(
    name: str, shape: tuple[int, ...], dtype: str, tile: tuple[Bits, Bits], rng: np.random.Generator
) -> np.ndarray:
    if math.prod(shape[:-1]) == 1:
        gain = "norm" in name and name.endswith(("weight", "gamma"))
        return np.full(shape, gain, ml_dtypes.bfloat16 if dtype == "bfloat16" else np.float32)
    halvings, odd = divmod(round(math.log2(math.prod(shape[:-1]))), 2)
    bits, count = tile[odd], math.prod(shape)
    if count > len(bits):
        bits = np.resize(np.roll(bits, rng.integers(len(bits))), count)
    begin = rng.integers(len(bits) - count + 1)
    piece = scaled(bits[begin : begin + count], halvings).reshape(shape)
    return piece.view(ml_dtypes.bfloat16) if dtype == "bfloat16" else _wide(piece)


def _wide(bits: np.ndarray) -> np.ndarray:
    """As float32, whose upper half a bfloat16 is."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
