"""Intersections against marching along the ray in small steps."""

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.scenes.layout import pitch, solids, yaw
from nvs_jax.scenes.solids import Motion, distances, enter_box, enter_capsule, enter_sphere

CENTRE = jnp.asarray([[0.2, -0.3, 0.1]])
TURNED = yaw(jnp.asarray([0.7])) @ pitch(jnp.asarray([0.5]))


def distance_outside(half: np.ndarray, radius: float, p: np.ndarray) -> np.ndarray:
    """Signed distance of local points to a box grown by a radius (exact outside)."""
    q = np.abs(p) - half
    return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(-1), 0) - radius


@pytest.mark.parametrize(
    ("meet", "half", "radius"),
    [(enter_box, (0.5, 0.3, 0.8), 0.0), (enter_sphere, (0, 0, 0), 0.7), (enter_capsule, (0, 0.6, 0), 0.3)],
)
def test_rays_end_on_the_surface_and_nothing_is_missed(meet, half, radius):
    solid = solids(CENTRE, jnp.asarray([half], jnp.float32), jnp.asarray([radius]), TURNED)
    random = np.random.default_rng(0)
    direction = random.normal(size=(3, 3000))
    origin = 4 * direction / np.linalg.norm(direction, axis=0)
    direction = random.uniform(-1.2, 1.2, (3, 3000)) - origin
    found = np.asarray(distances(solid, meet, jnp.asarray(origin, jnp.float32), jnp.asarray(direction, jnp.float32)))[0]

    def outside(t: np.ndarray) -> np.ndarray:
        p = (origin + t * direction).T - np.asarray(CENTRE[0])
        return distance_outside(np.asarray(half), radius, p @ np.asarray(TURNED[0]).T)

    hit = np.isfinite(found)
    assert 300 < hit.sum() < 2700
    assert np.abs(outside(np.where(hit, found, 0))[hit]).max() < 1e-5
    closest = np.min([outside(np.full(3000, t)) for t in np.linspace(0, 2, 800)], axis=0)
    assert (closest[~hit] > -0.02).all()
    before = np.min([outside(np.where(hit, found, 0) * s) for s in np.linspace(0, 0.99, 200)], axis=0)
    assert (before[hit] > 0).all()


def test_motion_starts_from_rest():
    motion = Motion(jnp.asarray([[1.0, 0, 0]]), jnp.asarray([[0, 2.0, 0]]), jnp.asarray([0.5]), jnp.asarray([0.0]))
    np.testing.assert_allclose(motion.displacement(jnp.float32(0)), [[0, 0, 0]])
    np.testing.assert_allclose(motion.displacement(jnp.float32(0.5)), [[0.5, 2, 0]], atol=1e-6)
