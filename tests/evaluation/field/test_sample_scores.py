"""Scores of samples: known errors give known scores, over all pixels, those seen and those not."""

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.evaluation.field.sample_scores import known_scores, lpips_scores
from nvs_jax.evaluation.field.samples import Task
from nvs_jax.evaluation.scores import FEWEST_PIXELS
from nvs_jax.geometry import Warp
from nvs_jax.models.lpips import ALEXNET, Lpips
from nvs_jax.models.lpips.distance import Network
from nvs_jax.models.weights import random_weights
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


def test_a_part_of_a_few_pixels_has_no_score() -> None:
    truth = np.random.default_rng(0).uniform(size=(K, H, W, 3)).astype(np.float32)
    holes = np.ones((K, H, W), bool)
    holes[:, 0, : FEWEST_PIXELS - 1] = False
    scores = known_scores(1 - truth, task(truth, holes))
    assert scores["known_psnr"] == scores["known_ssim"] == [None] * K
    assert None not in scores["hole_psnr"] + scores["hole_ssim"] + scores["psnr"] + scores["ssim"]


def test_lpips_is_told_apart_by_holes_and_agrees_with_the_whole() -> None:
    rng = np.random.default_rng(0)
    side = 64
    truth = rng.uniform(0.2, 0.8, (2, side, side, 3)).astype(np.float32)
    holes = np.zeros((2, side, side), bool)
    holes[:, :, side // 2 :] = True
    noise = rng.normal(scale=0.2, size=truth.shape) * holes[..., None]
    frames = np.clip(truth + noise, 0, 1).astype(np.float32)
    lpips = Lpips(random_weights(Network(ALEXNET), 0), ALEXNET)
    # Weights of channels are not negative, as those that are published: distances are sums of squares.
    lpips = Lpips({name: abs(x) if name.startswith("lins") else x for name, x in lpips.weights.items()}, ALEXNET)
    scores = lpips_scores(lpips, frames, truth, holes)
    for value, known, hole, frame, true in zip(
        scores["lpips"], scores["known_lpips"], scores["hole_lpips"], frames, truth, strict=True
    ):
        assert value == pytest.approx(float(lpips(frame[None], true[None])[0]), rel=1e-4)
        assert known is not None and hole is not None and 0 <= known < hole / 3
        assert value == pytest.approx((known + hole) / 2, rel=0.1)  # the map is enlarged, the distance not
    same = lpips_scores(lpips, truth, truth, np.zeros_like(holes))
    # Two pictures of one batch need not have the same last bit.
    assert same["lpips"] == pytest.approx([0.0] * 2, abs=1e-9) and same["hole_lpips"] == [None] * 2
    assert same["known_lpips"] == pytest.approx([0.0] * 2, abs=1e-9)
