import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from nvs_jax.diffusion import Blend, DirectGuidance, FilledHoles, PosteriorGuidance, WarpedViews
from nvs_jax.diffusion.assemble import make_guidance
from nvs_jax.diffusion.combinators.soft_holes import SoftHoles, doubt_weight, edge_weight
from nvs_jax.settings import GuidanceSettings
from tests.diffusion.toys import GaussianDenoiser

SHAPE = (1, 2, 5, 6, 2)
HOLE = jnp.zeros(SHAPE[:-1], bool).at[0, 1, :, 4:].set(True)
X, TARGET = (jax.random.normal(jax.random.key(seed), SHAPE) for seed in (0, 1))
W, SIGMA, KEY = jnp.ones(2), jnp.float32(2.0), jax.random.key(3)


@given(hnp.arrays(bool, (1, 2, 5, 7), elements=st.booleans()), st.floats(0, 5))
def test_the_weight_rises_with_the_euclidean_distance_to_the_next_hole(hole, width):
    found = np.asarray(edge_weight(jnp.asarray(hole), width))
    for mask, weight in zip(hole[0], found[0], strict=True):
        far = distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, 100.0)
        np.testing.assert_allclose(weight, np.minimum(1, far / (width + 1)), rtol=1e-5)


def test_a_guidance_counts_by_the_weight_of_a_cell():
    direct, post = DirectGuidance(Blend(TARGET, HOLE)), PosteriorGuidance(Blend(TARGET, HOLE))
    for a in (0.0, 0.25, 1.0):
        soft = SoftHoles(direct, jnp.full(HOLE.shape, a))
        expected = X + a * (direct.estimate(X, SIGMA, W, KEY) - X)
        np.testing.assert_allclose(soft.estimate(X, SIGMA, W, KEY), expected, rtol=1e-6)
        moved = SoftHoles(post, jnp.full(HOLE.shape, a))
        network = GaussianDenoiser(jnp.zeros(SHAPE))
        expected = X + a * (post.correct(X, SIGMA, W, network, KEY) - X)
        np.testing.assert_allclose(moved.correct(X, SIGMA, W, network, KEY), expected, rtol=1e-6)


def test_doubt_is_half_where_a_cell_has_moved_so_far():
    np.testing.assert_allclose(doubt_weight(jnp.array([[[0.0, 5.0, 15.0]]]), 5.0)[0, 0, 0], [1, 0.5, 0.1])


def test_settings_make_it_and_holes_are_filled_by_as_much_as_they_are_holes():
    views = WarpedViews(TARGET, HOLE)
    off = make_guidance(GuidanceSettings(estimate="blend"), views, 1)
    assert isinstance(off, DirectGuidance)
    settings = GuidanceSettings(estimate="blend", hole_edge=1.0, hole_strength=0.5, hole_doubt=4.0)
    moved = jnp.full(HOLE.shape[1:], 4.0)
    made = make_guidance(settings, views, 1, moved=moved)
    assert isinstance(made, FilledHoles)
    a = edge_weight(HOLE, 1.0) * 0.5
    np.testing.assert_allclose(made.views.share, a)
    seen = X + a[..., None] * (TARGET - X)
    expected = seen + 0.5 * (1 - a)[..., None] * (TARGET - seen)
    np.testing.assert_allclose(made.estimate(X, SIGMA, W, KEY), expected, rtol=1e-5)


def test_gradients_are_those_of_differences():
    with jax.enable_x64(True):
        rule = DirectGuidance(Blend(TARGET, HOLE))

        def loss(half):
            weight = edge_weight(HOLE, 1.0) * doubt_weight(jnp.full(HOLE.shape[1:], 3.0), half)
            return jnp.sum(SoftHoles(rule, weight).estimate(X, SIGMA, W, KEY) ** 2)

        np.testing.assert_allclose(jax.grad(loss)(5.0), (loss(5.01) - loss(4.99)) / 0.02, rtol=1e-2)
