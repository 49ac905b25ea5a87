import jax.numpy as jnp

from nvs_jax.checks.pictures import clip, unrelated_pictures


def test_the_clip_moves_but_little():
    pictures = clip(3, 24, 32)
    assert pictures.shape == (3, 24, 32, 3)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    moved = jnp.abs(pictures[2] - pictures[0]).mean()
    assert 1e-4 < moved < 0.05
    assert pictures.std() > 0.1


def test_pictures_are_unlike_each_other():
    pictures = jnp.stack(unrelated_pictures(24, 32))
    assert pictures.shape == (4, 24, 32, 3)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    flat = pictures.reshape(4, -1) - pictures.reshape(4, -1).mean(1, keepdims=True)
    flat /= jnp.linalg.norm(flat, axis=1, keepdims=True)
    assert jnp.abs(flat @ flat.T - jnp.eye(4)).max() < 0.8
