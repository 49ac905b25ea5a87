"""Vectors with their three components first, [3, ...]: every product is elementwise.

Components first keep the rays on the fast axis, and elementwise products stay exact in float32 on accelerators, whose
matrix products round to less by default.
"""

import math
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Vector = Float[Array, "3 *#n"]  # several in a signature broadcast
Tree = TypeVar("Tree")


def dot(a: Vector, b: Vector) -> Float[Array, "*m"]:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def normalize(a: Vector) -> Vector:
    """The vector at length 1."""
    return a / jnp.sqrt(jnp.maximum(dot(a, a), 1e-20))


def rotate(matrix: Float[Array, "3 3 *m"], a: Vector) -> Vector:
    """Matrix times vector; axes after the first two of `matrix` run along with those of `a`."""
    return matrix[:, 0] * a[0] + matrix[:, 1] * a[1] + matrix[:, 2] * a[2]  # a stack would break XLA's fusion


def rotate_back(matrix: Float[Array, "3 3 *m"], a: Vector) -> Vector:
    """Transposed matrix times vector."""
    return rotate(jnp.swapaxes(matrix, 0, 1), a)


def greatest(a: Vector) -> Float[Array, "*n"]:
    """The largest component."""
    return jnp.maximum(jnp.maximum(a[0], a[1]), a[2])


def pick(table: Tree, index: Int[Array, "r"]) -> Tree:
    """Entry `index` of each array along its first axis, which becomes the last: [n, ...] and [r] to [..., r].

    One product with a one-hot matrix, exact at highest precision: XLA would repeat a gather in every expression that
    uses its result, which made rendering four times slower on a CPU.
    """
    leaves, structure = jax.tree.flatten(table)
    flat = jnp.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], 1)
    one_hot = (jnp.arange(len(flat))[:, None] == index).astype(flat.dtype)
    picked = jnp.matmul(flat.T, one_hot, precision="highest")
    ends = [sum(math.prod(leaf.shape[1:]) for leaf in leaves[: i + 1]) for i in range(len(leaves))]
    parts = jnp.split(picked, ends[:-1])
    shaped = (part.reshape(*leaf.shape[1:], -1).astype(leaf.dtype) for part, leaf in zip(parts, leaves, strict=True))
    return jax.tree.unflatten(structure, shaped)
