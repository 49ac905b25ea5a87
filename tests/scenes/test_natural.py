"""Surfaces as in photographs: equal contrast at every scale, and scenes of other settings as they were."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render
from nvs_jax.scenes.natural import KINDS, Natural, natural_weights

SIDE, PIXELS = 16.0, 512


def seen(kind: str, gain: float = 1.0, pixels: int = PIXELS) -> np.ndarray:
    """Weights of the second and third colours on a square of so many cells a side."""
    at = (np.arange(pixels) + 0.5) * SIDE / pixels
    y, x = np.meshgrid(at, at, indexing="ij")
    cells = jnp.asarray(np.stack([x.ravel(), y.ravel(), np.full(x.size, 0.3)]), jnp.float32)
    kinds = Natural(jnp.full(x.size, KINDS.index(kind)), jnp.full(x.size, gain))
    found = natural_weights(kinds, cells, jnp.full(x.size, SIDE / pixels))
    return np.stack(found).reshape(2, pixels, pixels)


def contrast(picture: np.ndarray) -> list[float]:
    """Variance in the octaves of spatial frequency, from 1/4 to 2 cycles a cell."""
    power = np.abs(np.fft.fft2(picture - picture.mean())) ** 2
    along = np.fft.fftfreq(len(picture), SIDE / len(picture))
    frequency = np.hypot(*np.meshgrid(along, along, indexing="ij"))
    return [float(power[(low <= frequency) & (frequency < 2 * low)].sum()) for low in (0.25, 0.5, 1.0)]


@pytest.mark.full
def test_every_octave_of_a_cloudy_surface_has_the_same_contrast():
    equal = contrast(seen("cloudy")[0])
    assert max(equal) / min(equal) < 1.6
    falling = contrast(seen("cloudy", 0.5)[0])
    assert falling[0] > falling[1] > 3 * falling[2]


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS[1:])
def test_weights_lie_between_0_and_1_and_fade_where_a_pixel_is_coarse(kind):
    fine, coarse = seen(kind), seen(kind, pixels=8)
    assert fine.min() >= 0 and fine.max() <= 1
    assert fine.std((1, 2)).max() > 0.1 > coarse.std((1, 2)).max()
    np.testing.assert_allclose(fine.mean((1, 2)), coarse.mean((1, 2)), atol=0.03)


@pytest.mark.parametrize("kind", ["cloudy", "leaves"])
@pytest.mark.parametrize("pixels", [64, PIXELS])
def test_the_tint_says_nothing_about_the_tone(kind, pixels):
    assert abs(np.corrcoef(seen(kind, pixels=pixels).reshape(2, -1))[0, 1]) < 0.2


@pytest.mark.full
@pytest.mark.parametrize("kind", ["cloudy", "leaves"])
def test_the_tint_of_a_pixel_is_the_mean_of_what_it_covers(kind):
    covered = seen(kind)[1].reshape(256, 2, 256, 2).mean((1, 3))
    assert (seen(kind, pixels=256)[1] - covered).std() < 0.25 * covered.std()


def test_leaves_have_sharper_edges_than_clouds():
    steep = {kind: np.percentile(np.abs(np.diff(seen(kind)[0])), 99) for kind in ("cloudy", "leaves")}
    assert steep["leaves"] > 1.5 * steep["cloudy"]


def test_scenes_that_are_not_natural_are_as_ever_and_natural_ones_stand_as_they_stood():
    plain, natural = random_scene(7), random_scene(7, SceneSettings(natural=1.0))
    none = random_scene(7, SceneSettings(natural=1e-9))
    pose, K = default_view(24, 32)
    assert plain.material.natural is None and plain.lights.size is None
    jax.tree.map(np.testing.assert_array_equal, plain.geometry, natural.geometry)
    views = [render(scene, pose, K, 24, 32, samples=2) for scene in (plain, none, natural)]
    np.testing.assert_allclose(views[0].picture, views[1].picture, atol=1e-5)
    np.testing.assert_array_equal(views[0].depth, views[2].depth)
    assert float(jnp.abs(views[0].picture - views[2].picture).mean()) > 0.02


def test_a_lamp_with_a_size_makes_soft_edges():
    """Between light and shadow there are pixels that see a part of the lamp."""
    scene, (pose, K) = random_scene(7), default_view(48, 64)
    made = [
        scene._replace(lights=scene.lights._replace(size=size)) for size in (None, jnp.float32(0.0), jnp.float32(0.3))
    ]
    sharp, point, soft = (render(one, pose, K, 48, 64, samples=3).picture for one in made)
    np.testing.assert_allclose(sharp, point, atol=1e-6)
    changed = np.abs(np.asarray(soft - sharp)).max(-1) > 0.02
    assert 0.005 < changed.mean() < 0.3


def test_shares_lie_between_0_and_1():
    with pytest.raises(InputError, match="natural of a scene must lie between 0 and 1, not 2"):
        SceneSettings(natural=2.0)
