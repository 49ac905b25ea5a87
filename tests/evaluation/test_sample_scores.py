"""Scores of samples: known errors give known scores, over all pixels, those seen and those not."""

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.evaluation.sample_scores import known_scores
from nvs_jax.evaluation.samples import Task
from nvs_jax.geometry import Warp
from nvs_jax.steering.conditions import Conditions

H, W, K = 24, 32, 3


def task(truth: np.ndarray, holes: np.ndarray) -> Task:
    hole = jnp.asarray(holes)
    return Task(
        Conditions(truth[0], Warp(jnp.asarray(truth), ~hole, hole), jnp.arange(K + 1.0)),
        np.arange(1, K + 1),
        truth,
        holes,
        np.tile(np.eye(4), (K, 1, 1)),
        np.tile(np.eye(3), (K, 1, 1)),
        truth,
    )


def test_known_noise_has_a_known_psnr_wherever_it_is() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.3, 0.7, (K, H, W, 3)).astype(np.float32)
    holes = np.zeros((K, H, W), bool)
    holes[:, :, : W // 4] = True
    frames = truth + np.where(holes[..., None], 0.1, 0.01).astype(np.float32)
    scores = known_scores(frames, task(truth, holes))
    assert scores["hole_psnr"] == pytest.approx([20.0] * K, abs=1e-4)
    assert scores["known_psnr"] == pytest.approx([40.0] * K, abs=1e-3)
    mean = 0.25 * 0.1**2 + 0.75 * 0.01**2
    assert scores["psnr"] == pytest.approx([-10 * np.log10(mean)] * K, abs=1e-4)
    assert scores["hole_share"] == [0.25] * K
    same = known_scores(truth, task(truth, np.zeros_like(holes)))
    assert same["known_ssim"] == pytest.approx([1.0] * K) and same["hole_psnr"] == [None] * K
    assert all(value is not None and value < 1 for value in scores["known_ssim"])
