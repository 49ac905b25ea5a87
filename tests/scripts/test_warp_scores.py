import jax.numpy as jnp
import numpy as np

from scripts.warp_scores import blurred_edges, masked_psnr, warp_scores, wrong_scale

RNG = np.random.default_rng(0)


def test_scores_of_a_known_picture():
    truth = jnp.full((1, 4, 5, 3), 0.5)
    pictures = truth.at[0, 0, :, 1].add(0.2).at[0, 1].add(0.01)
    known = jnp.ones((1, 4, 5), bool).at[0, 3].set(False)
    shared = known.at[0, 0].set(False)
    scores = warp_scores(pictures, truth, known, shared)
    np.testing.assert_allclose(scores.holes, 0.25)
    np.testing.assert_allclose(scores.wrong, 5 / 15, rtol=1e-6)
    np.testing.assert_allclose(scores.right, 10 / 20, rtol=1e-6)
    np.testing.assert_allclose(scores.psnr, -10 * np.log10((0.04 / 3 + 0.0001) / 3), rtol=1e-5)
    np.testing.assert_allclose(scores.shared_psnr, -10 * np.log10(0.0001 / 2), rtol=1e-3)


def test_psnr_agrees_with_its_definition():
    one, other = RNG.random((2, 6, 7, 3))
    mask = RNG.random((6, 7)) < 0.5
    expected = 10 * np.log10(1 / np.mean((one - other)[mask] ** 2))
    np.testing.assert_allclose(
        masked_psnr(jnp.asarray(one), jnp.asarray(other), jnp.asarray(mask)), expected, rtol=1e-5
    )


def test_blur_widens_a_step_by_twice_the_radius():
    depth = jnp.where(jnp.arange(20) < 10, 2.0, 4.0)[None].repeat(9, 0)
    blurred = blurred_edges(depth, 2)
    changed = np.abs(blurred - depth) > 1e-5
    np.testing.assert_array_equal(changed.any(0).nonzero()[0], [8, 9, 10, 11])
    np.testing.assert_allclose(1 / blurred[4, 8:12], 0.25 + 0.25 * np.array([15, 11, 5, 1]) / 16, rtol=1e-5)


def test_wrong_scale():
    np.testing.assert_allclose(wrong_scale(jnp.full((2, 2), 3.0), 1.1, 0.2), 3.5, rtol=1e-6)
