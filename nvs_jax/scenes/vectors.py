"""Vectors with their three components first, [3, ...]: every product is elementwise.

Components first keep the rays on the fast axis, and elementwise products stay exact in float32 on accelerators, whose
matrix products round to less by default.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

Vector = Float[Array, "3 *n"]


def dot(a: Vector, b: Vector) -> Float[Array, "*m"]:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def normalize(a: Vector) -> Vector:
    """The vector at length 1."""
    return a / jnp.sqrt(jnp.maximum(dot(a, a), 1e-20))


def rotate(matrix: Float[Array, "3 3 *m"], a: Vector) -> Vector:
    """Matrix times vector; axes after the first two of `matrix` run along with those of `a`."""
    return jnp.stack([dot(row, a) for row in matrix])


def rotate_back(matrix: Float[Array, "3 3 *m"], a: Vector) -> Vector:
    """Transposed matrix times vector."""
    return rotate(jnp.swapaxes(matrix, 0, 1), a)


def greatest(a: Vector) -> Float[Array, "*n"]:
    """The largest component."""
    return jnp.maximum(jnp.maximum(a[0], a[1]), a[2])
