import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry import sampling

refine = jax.jit(sampling.refine)


@jax.jit
def sample(fine, x, y):
    colour, known = sampling.sample(fine, x, y)
    return jnp.moveaxis(colour, 0, -1), known


RNG = np.random.default_rng(0)
PICTURE = jnp.asarray(RNG.random((7, 9, 3)), jnp.float32)
ALL = jnp.ones((7, 9), bool)


def positions(*pairs):
    x, y = jnp.asarray(pairs, jnp.float32).T
    return x[None], y[None]


def test_whole_positions_give_the_pixels():
    y, x = jnp.meshgrid(jnp.arange(7.0), jnp.arange(9.0), indexing="ij")
    colour, known = sample(refine(PICTURE, ALL), x, y)
    np.testing.assert_allclose(colour, PICTURE, atol=1e-6)
    np.testing.assert_array_equal(known, 1)


def test_half_positions_follow_the_cubic():
    """Catmull-Rom reproduces parabolas; bilinear interpolation is off by 1/4 of the second difference's half."""
    x = jnp.arange(9.0)
    parabola = jnp.broadcast_to((x**2)[None, :, None], (7, 9, 3))
    colour, _ = sample(refine(parabola, ALL), *positions((3.5, 2.0), (4.5, 2.5)))
    np.testing.assert_allclose(colour[0, :, 0], [3.5**2, 4.5**2], rtol=1e-6)


def test_planes_are_exact_everywhere_inside():
    y, x = jnp.meshgrid(jnp.arange(7.0), jnp.arange(9.0), indexing="ij")
    plane = jnp.stack([x, y, 2 * x - y], axis=-1)
    u, v = positions(*RNG.uniform((1, 1), (7, 5), (20, 2)))
    colour, _ = sample(refine(plane, ALL), u, v)
    np.testing.assert_allclose(colour, jnp.stack([u, v, 2 * u - v], -1), atol=1e-5)


def test_unusable_pixels_never_show():
    usable = ALL.at[3, 4].set(False)
    spoiled = PICTURE.at[3, 4].set(1e6)
    x, y = positions(*RNG.uniform((2, 1), (6, 5), (200, 2)), (4.0, 3.0))
    colour, known = sample(refine(spoiled, usable), x, y)
    assert jnp.abs(colour).max() < 2
    assert known[0, -1] == 0
    assert ((known >= 0) & (known <= 1)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 1), (2, 2)])
def test_small_pictures(size):
    colour, known = sample(refine(jnp.ones((*size, 3)), jnp.ones(size, bool)), *positions((0.3, 0.2), (9.0, -3.0)))
    np.testing.assert_allclose(colour, 1, rtol=1e-6)
    np.testing.assert_allclose(known, 1, rtol=1e-6)


def test_derivative_by_position_is_the_slope():
    x = jnp.arange(9.0)
    ramp = jnp.broadcast_to(0.1 * x[None, :, None], (7, 9, 3))

    def red(u):
        return sample(refine(ramp, ALL), jnp.full((1, 1), u), jnp.full((1, 1), 3.2))[0][0, 0, 0]

    assert float(jax.grad(red)(4.3)) == pytest.approx(0.1, rel=1e-4)
