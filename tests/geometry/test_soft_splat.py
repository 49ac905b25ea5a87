import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry import forward_warp, intrinsics_matrix
from nvs_jax.settings import WarpSettings

HEIGHT, WIDTH = 16, 20
SOFT = WarpSettings(splat="soft")
HARD = WarpSettings(splat="zbuffer", quantize=False)


def square_in_front_of_a_wall():
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    wall = 0.3 + 0.1 * np.sin(0.5 * x[..., None] + 0.3 * y[..., None] + np.arange(3))
    inside = (abs(x - 9) < 4) & (abs(y - 8) < 4)
    picture = np.where(inside[..., None], 0.8 + 0.1 * np.sin(0.7 * (x - y))[..., None], wall)
    return jnp.asarray(picture, float), jnp.asarray(np.where(inside, 4.0, 8.0), float)


def shifted(across, settings, depth=None):
    """The scene from a camera that has gone this far to the side, in scene units: the square moves 5 pixels a unit."""
    picture, known = square_in_front_of_a_wall()
    K, target = intrinsics_matrix(20.0, HEIGHT, WIDTH), jnp.eye(4).at[0, 3].set(across)
    return forward_warp(picture, known if depth is None else depth, K, jnp.eye(4), target[None], settings)


def test_a_camera_that_stays_sees_the_picture_whole():
    picture, _ = square_in_front_of_a_wall()
    warp = shifted(0.0, SOFT, jnp.full((HEIGHT, WIDTH), 5.0))
    np.testing.assert_allclose(warp.pictures[0], picture, atol=1e-6)
    assert warp.visible is not None and (warp.visible > 0.999).all() and not warp.hole.any()


def test_the_nearer_surface_hides_the_farther():
    warp = shifted(0.4, SOFT)
    assert float(jnp.abs(warp.pictures[0, 8, 11] - 0.8).max()) < 0.11
    assert warp.visible is not None
    np.testing.assert_array_equal(warp.hole, warp.visible <= 0.5)
    assert abs(int(warp.hole.sum()) - int(shifted(0.4, HARD).hole.sum())) < 5


def test_holes_and_edges_come_and_go_gradually():
    """In steps of a thousandth of a pixel of the square's way, where a splat that is cut off jumps."""
    at = jnp.linspace(0.3, 0.5, 1001)

    largest = {}
    for name, settings in {"soft": SOFT, "hard": HARD}.items():
        frames = jax.jit(lambda at, s=settings: jax.lax.map(lambda x: shifted(x, s).condition, at))(at)
        largest[name] = float(jnp.abs(jnp.diff(frames, axis=0)).max())
    assert largest["soft"] < 0.02
    assert largest["hard"] > 0.2


@pytest.mark.parametrize(("settings", "right"), [(SOFT, True), (HARD, False)])
def test_its_slope_is_what_edges_do_over_a_pixel(settings, right):
    """The sum of what is seen, which only edges change: a splat that is cut off knows nothing of them."""

    def sum_of_seen(across):
        return shifted(across, settings).condition.sum()

    with jax.enable_x64(True):
        at = jnp.linspace(0.3, 0.5, 201)
        seen, slopes = jax.jit(lambda at: jax.lax.map(jax.value_and_grad(sum_of_seen), at))(at)
        mean, difference = np.trapezoid(slopes, at) / 0.2, float(seen[-1] - seen[0]) / 0.2
    assert (mean == pytest.approx(difference, rel=0.01)) == right


def test_scaling_scene_and_camera_together_changes_nothing():
    _, depth = square_in_front_of_a_wall()

    def seen(scale):
        warp = shifted(0.41 * scale, SOFT, depth * scale)
        return jnp.sin(3 * warp.condition).sum()

    value, slope = jax.value_and_grad(seen)(1.0)
    assert abs(float(slope)) < 1e-3 * float(value)
