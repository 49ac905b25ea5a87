import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry.rotations import rotation_matrix, rotation_vector, slerp
from tests.geometry.scenes import random_rotation

_vector, _matrix = jax.jit(rotation_vector), jax.jit(rotation_matrix)


@pytest.mark.parametrize("angle", [0.0, 1e-7, 1e-3, 0.5, 2.0, 3.1, 3.14159])
def test_vector_and_matrix_undo_each_other(angle):
    with jax.enable_x64(True):
        for seed in range(4):
            rotation = random_rotation(np.random.default_rng(seed), angle)
            vector = _vector(jnp.asarray(rotation))
            assert float(jnp.linalg.norm(vector)) == pytest.approx(angle, abs=1e-9)
            np.testing.assert_allclose(_matrix(vector), rotation, atol=1e-9)


@pytest.mark.parametrize("axis", np.eye(3))
def test_half_a_turn(axis):
    rotation = 2 * np.outer(axis, axis) - np.eye(3)
    np.testing.assert_allclose(jnp.abs(_vector(jnp.asarray(rotation, jnp.float32))), np.pi * axis, atol=1e-6)


def test_slerp_turns_at_constant_speed():
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        start = random_rotation(rng, 1.0)
        whole, third = (random_rotation(np.random.default_rng(7), angle) for angle in (2.4, 0.8))
        np.testing.assert_allclose(
            slerp(jnp.asarray(start), jnp.asarray(start @ whole), 1 / 3), start @ third, atol=1e-9
        )


@pytest.mark.parametrize("angle", [0.0, 1e-6, 1e-4, 0.5])
def test_gradient_of_slerp(angle):
    """Against finite differences, also where the two ends agree."""
    with jax.enable_x64(True):
        vector = jnp.asarray([0.36, -0.48, 0.8]) * angle
        start = jnp.asarray(random_rotation(np.random.default_rng(0), 1.0))

        @jax.jit
        def middle(vector):
            return slerp(start, start @ rotation_matrix(vector), 0.3)

        numeric = [(middle(vector + step) - middle(vector - step)) / 2e-5 for step in 1e-5 * jnp.eye(3)]
        np.testing.assert_allclose(jax.jacobian(middle)(vector), jnp.stack(numeric, -1), atol=1e-6)
