"""Rotations along the shortest arc, differentiable also where the two ends agree."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, ScalarLike

from nvs_jax.geometry.cameras import Matrix, Vector


def slerp(start: Matrix, end: Matrix, fraction: ScalarLike) -> Matrix:
    """The rotation a `fraction` of the way from `start` to `end` at constant angular speed."""
    between = jnp.matmul(start.T, end, precision=lax.Precision.HIGHEST)
    part = rotation_matrix(rotation_vector(between) * jnp.asarray(fraction))
    return jnp.matmul(start, part, precision=lax.Precision.HIGHEST)


def rotation_vector(rotation: Matrix) -> Vector:
    """Axis times angle in [0, pi]; at pi, one of the two."""
    quaternion = _quaternion(rotation)
    quaternion = jnp.where(quaternion[0] < 0, -quaternion, quaternion)
    cosine, axis = quaternion[0], quaternion[1:]
    sine_squared = jnp.sum(axis * axis)
    small = sine_squared < 1e-10
    sine = jnp.sqrt(jnp.where(small, 1.0, sine_squared))
    # Near no rotation the ratio angle/sine is its limit, 2: the error is below 1e-10, and the root has no slope there.
    return axis * jnp.where(small, 2 / cosine, 2 * jnp.arctan2(sine, cosine) / sine)


def rotation_matrix(vector: Vector) -> Matrix:
    """Rodrigues' formula: the rotation about `vector` by its length."""
    squared = jnp.sum(vector * vector)
    small = squared < 1e-8
    angle = jnp.sqrt(jnp.where(small, 1.0, squared))
    first = jnp.where(small, 1 - squared / 6, jnp.sin(angle) / angle)
    second = jnp.where(small, 0.5 - squared / 24, 2 * jnp.square(jnp.sin(angle / 2) / angle))
    x, y, z = vector
    zero = jnp.zeros_like(x)
    cross = jnp.array([[zero, -z, y], [z, zero, -x], [-y, x, zero]])
    square = jnp.outer(vector, vector) - squared * jnp.eye(3, dtype=vector.dtype)
    return jnp.eye(3, dtype=vector.dtype) + first * cross + second * square


def _quaternion(rotation: Matrix) -> Float[Array, "4"]:
    """(w, x, y, z) of unit length, up to sign.

    Row k of the table is the quaternion times 4 of its k-th entry; the longest row is never near zero.
    """
    (a, b, c), (d, e, f), (g, h, i) = rotation
    table = jnp.array(
        [
            [1 + a + e + i, h - f, c - g, d - b],
            [h - f, 1 + a - e - i, b + d, c + g],
            [c - g, b + d, 1 - a + e - i, f + h],
            [d - b, c + g, f + h, 1 - a - e + i],
        ]
    )
    row = table[jnp.argmax(jnp.diagonal(table))]
    return row / jnp.linalg.norm(row)
