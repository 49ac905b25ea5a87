from typing import Any

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from nvs_jax.evaluation.scores import BEST_PSNR, FEWEST_PIXELS, score


def frames(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((3, 24, 32, 3), np.float32)


def holes(rows: int = 6) -> np.ndarray:
    masks = np.zeros((3, 24, 32), bool)
    masks[:, :rows, :] = True
    return masks


def test_the_truth_itself_is_perfect():
    scores = score(frames(0), frames(0), holes())
    assert scores.psnr == scores.hole_psnr == [BEST_PSNR] * 3
    np.testing.assert_allclose(np.array([scores.ssim, scores.hole_ssim], float), 1, atol=1e-6)
    assert scores.hole_share == [0.25] * 3


def test_whole_pictures_agree_with_scikit_image():
    made, truth = frames(0), frames(1)
    scores = score(made, truth, holes())
    for index in range(3):
        wanted = peak_signal_noise_ratio(truth[index], made[index], data_range=1)
        assert scores.psnr[index] == pytest.approx(wanted, abs=1e-4)
        both: Any = structural_similarity(
            truth[index], made[index], channel_axis=-1, data_range=1, gaussian_weights=True,
            sigma=1.5, use_sample_covariance=False, full=True,
        )  # fmt: skip
        full = both[1]
        assert scores.ssim[index] == pytest.approx(full.mean(), abs=1e-4)


def test_holes_are_scored_by_themselves():
    truth, masks = frames(1), holes()
    made = np.where(masks[..., None], np.clip(truth + 0.1, None, truth + 0.1), truth).astype(np.float32)
    scores = score(made, truth, masks)
    # 0.1 everywhere in the holes is 20 dB, and a quarter of the picture has it.
    np.testing.assert_allclose(np.array(scores.hole_psnr, float), 20, atol=1e-4)
    np.testing.assert_allclose(scores.psnr, 20 + 10 * np.log10(4), atol=1e-4)
    assert (np.array(scores.hole_ssim, float) < scores.ssim).all()
    elsewhere = score(made, truth, ~masks)
    assert elsewhere.hole_psnr == [BEST_PSNR] * 3


def test_hardly_any_holes_say_nothing():
    masks = np.zeros((3, 24, 32), bool)
    masks[1, 0, :FEWEST_PIXELS] = True
    masks[2, 0, : FEWEST_PIXELS - 1] = True
    scores = score(frames(0), frames(1), masks)
    assert [value is None for value in scores.hole_psnr] == [True, False, True]
    assert [value is None for value in scores.hole_ssim] == [True, False, True]
