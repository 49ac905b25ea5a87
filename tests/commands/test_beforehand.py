"""Holes are counted before anything is sampled, and what was warped for that is not warped again."""

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.commands.beforehand import look_ahead
from nvs_jax.geometry import orbit
from nvs_jax.inputs.view import View
from nvs_jax.media import placement_of
from nvs_jax.settings import RenderSettings
from nvs_jax.steering.legs import photo_plan, video_plan
from tests.tiny import HEIGHT, WIDTH, scene

K = np.array([[20, 0, WIDTH / 2], [0, 20, HEIGHT / 2], [0, 0, 1]], np.float32)
SETTINGS = RenderSettings()


@pytest.fixture(scope="module")
def view():
    photo, depth = scene()
    fit = placement_of((HEIGHT, WIDTH), HEIGHT, WIDTH, "crop")
    return View(np.asarray(photo), np.asarray(depth), K, fit, (HEIGHT, WIDTH), "depth")


def test_a_photo_is_warped_once(view):
    plan, ahead = look_ahead(photo_plan(view, orbit(6.0, 6.0, 4.0, 4), SETTINGS), view)
    first, again = (plan.legs[0]([]) for _ in range(2))
    assert first is again
    np.testing.assert_allclose(ahead.shares, np.asarray(first.warp.hole).mean((1, 2)))
    assert ahead.frames == (1, 2, 3)


def test_the_last_leg_of_a_video_is_looked_at_without_rendering_those_before(view):
    """Six frames in legs of four: the second leg, filled up, has frames 4 and 5."""
    photos, depths = (np.stack([array] * 6) for array in (view.picture, view.depth))
    path = orbit(6.0, 6.0, 4.0, 6)
    plan = video_plan(photos, depths, jnp.asarray(K), path, 4, SETTINGS)
    same, ahead = look_ahead(plan, view)
    assert same is plan
    assert ahead.frames == (4, 5)
    whole = photo_plan(view, path, SETTINGS).legs[0]([]).warp.hole
    np.testing.assert_allclose(ahead.shares, np.asarray(whole).mean((1, 2))[3:], atol=1e-6)
