"""Scores of samples: known errors give known scores, over all pixels, those seen and those not."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.evaluation.samples import VARIANTS, Task, knots, known_scores
from nvs_jax.evaluation.samples_report import samples_report, scene_means
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


def test_a_path_passes_every_target_and_fills_the_video() -> None:
    for frames in (8, 14, 25):
        for targets in range(1, frames):
            steps = knots(targets, frames)
            assert len(steps) == targets and min(steps) >= 1 and sum(steps) == frames - 1


def line(scene: str, psnr: list[float | None], variant: str) -> dict:
    names = ("psnr", "known_psnr", "hole_psnr", "ssim", "known_ssim", "hole_ssim", "hole_share")
    return {"scene": scene, "variant": variant, "seconds": 1.0, "scores": dict.fromkeys(names, psnr)}


def test_intervals_are_over_scenes_however_many_pictures_each_has() -> None:
    lines = [line("b", [3.0], "x"), line("a", [1.0, 1.0], "x"), line("a", [1.0, None, 5.0], "x")]
    assert scene_means(lines, "psnr") == [2.0, 3.0]
    lines_of = {
        variant: [line("a", [10.0 + rank, None], variant), line("b", [20.0 + rank], variant)]
        for rank, variant in enumerate(VARIANTS)
    }
    text = samples_report(lines_of, "Protocol.", [Path("pictures/a.png")])
    assert "2 scenes, 3 pictures. Protocol." in text and "![a](pictures/a.png)" in text
    row = next(one for one in text.splitlines() if one.startswith("| guided |"))
    assert row.startswith("| guided | 15.00 ± 63.53 |") and "-1.00 ± 0.00" in row
