import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import orbit
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render, render_path

SIZE = (72, 96)
POSE, K = default_view(*SIZE)


def test_a_seed_is_a_scene():
    one, same, other = random_scene(7), random_scene(7), random_scene(8)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(same), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(render(one, POSE, K, *SIZE).picture, render(same, POSE, K, *SIZE).picture)
    assert np.mean(np.abs(render(one, POSE, K, *SIZE).picture - render(other, POSE, K, *SIZE).picture)) > 0.05


def test_keys_work_as_seeds_also_under_vmap():
    keys = jnp.stack([jax.random.key(7), jax.random.key(8)])
    batch = jax.vmap(random_scene)(keys)
    for number, seed in enumerate((7, 8)):
        for a, b in zip(jax.tree.leaves(batch), jax.tree.leaves(random_scene(seed)), strict=True):
            np.testing.assert_allclose(a[number], b, rtol=1e-5, atol=1e-6)


def test_counts_follow_the_settings():
    settings = SceneSettings(crates=2, boards=1, paintings=1, spheres=3, poles=2, rods=1, columns=1)
    geometry = jax.eval_shape(lambda: random_scene(0, settings)).geometry
    assert geometry.boxes.radius.size == 2 + 1 + 1 + 1  # and the rug
    assert geometry.spheres.radius.size == 3
    assert geometry.capsules.radius.size == 4


@pytest.mark.parametrize("time", [0.0, 0.5, 1.0])
def test_pictures_are_sound_and_cameras_have_air_all_along_the_orbit(time: float):
    poses = jnp.concatenate([orbit(4.0, 4.0, 30.0, 3), orbit(4.0, 4.0, 30.0, 3, inverse=True)])
    outdoors = 0
    for seed in range(12):
        scene = random_scene(seed)
        view = render_path(scene, poses, K, *SIZE, time=time)
        picture, depth = np.asarray(view.picture), np.asarray(view.depth)
        assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1
        assert depth.min() > 0.5 and depth.max() < 20
        assert picture.std(axis=(1, 2)).min() > 0.08  # nothing flat and grey
        assert 0.3 < picture.mean() < 0.8
        outdoors += bool(scene.lights.hazy > 0)
    assert 2 <= outdoors <= 10


def test_a_crate_may_hold_a_sphere():
    """The last sphere lies on the last crate: its lowest point is at the crate's top."""
    geometry = random_scene(3, SceneSettings()).geometry
    crate, sphere = geometry.boxes, geometry.spheres
    top = crate.centre[3, 1] - crate.half[3, 1]
    np.testing.assert_allclose(sphere.centre[-1, 1] + sphere.radius[-1], top, rtol=1e-6)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_range_are_refused(seed: int):
    with pytest.raises(InputError, match=r"from 0 to 2\*\*32 - 1"):
        random_scene(seed)


@pytest.mark.parametrize("bad", [{"spheres": 0}, {"paintings": 5}, {"field_of_view": 180.0}, {"orbit_radius": 9.0}])
def test_settings_are_checked(bad: dict):
    with pytest.raises(InputError):
        SceneSettings(**bad)
