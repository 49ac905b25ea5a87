"""Weights in few arrays: matrices of one size in a stack, everything else in one vector.

A small network has hundreds of small arrays, and an optimizer launches several kernels for each, which on an
accelerator takes longer than the network. It sees some twenty arrays instead, and does the same to their parts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from nvs_jax.models.weights import Weights
from scripts.train.optimizer import is_matrix

_REST = "rest"


@dataclass(frozen=True)
class Packing:
    """Where every weight is.

    Attributes:
        shapes: of the weights, by their names.
        stacks: names of the matrices in each stack.
        rest: names of the others, in their order in the vector.
    """

    shapes: Mapping[str, tuple[int, ...]]
    stacks: Mapping[str, tuple[str, ...]]
    rest: tuple[str, ...]

    def pack(self, weights: Weights) -> Weights:
        """Stacks [n, rows, columns], with all axes but the last as rows, and the vector."""
        packed = {
            stack: jnp.stack([weights[name].reshape(-1, weights[name].shape[-1]) for name in names])
            for stack, names in self.stacks.items()
        }
        return packed | {_REST: jnp.concatenate([weights[name].ravel() for name in self.rest])}

    def unpack(self, packed: Weights) -> Weights:
        """The inverse. Written so that its derivative puts parts together instead of adding padded ones."""
        weights = {}
        for stack, names in self.stacks.items():
            for name, matrix in zip(names, jax.lax.split(packed[stack], [1] * len(names)), strict=True):
                weights[name] = matrix.reshape(self.shapes[name])
        sizes = [math.prod(self.shapes[name]) for name in self.rest]
        for name, part in zip(self.rest, jax.lax.split(packed[_REST], sizes), strict=True):
            weights[name] = part.reshape(self.shapes[name])
        return weights


def packing_of(weights: Weights) -> Packing:
    """How these weights are packed; there must be one at least that is no matrix."""
    stacks: dict[str, tuple[str, ...]] = {}
    rest: tuple[str, ...] = ()
    for name, value in weights.items():
        if is_matrix(name, value):
            stack = f"{value.size // value.shape[-1]}x{value.shape[-1]}"
            stacks[stack] = (*stacks.get(stack, ()), name)
        else:
            rest = (*rest, name)
    return Packing({name: tuple(value.shape) for name, value in weights.items()}, stacks, rest)
