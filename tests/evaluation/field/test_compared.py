"""The part of every frame that is compared."""

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.evaluation.field.compared import compared
from nvs_jax.evaluation.field.sample_scores import known_scores
from nvs_jax.evaluation.field.samples import Task
from nvs_jax.geometry import Warp
from nvs_jax.steering.conditions import Conditions

K, H, W = 2, 16, 28


def task() -> Task:
    """A picture that is white left of column 14 and known right of it, seen by a camera on the middle."""
    truth = np.zeros((K, H, W, 3), np.float32)
    truth[:, :, : W // 2] = 1
    holes = truth[..., 0] > 0
    lens = np.array([[20, 0, (W - 1) / 2], [0, 20, (H - 1) / 2], [0, 0, 1.0]])
    warp = Warp(jnp.asarray(truth), jnp.asarray(~holes), jnp.asarray(holes))
    numbers = np.arange(1, K + 1), truth, holes, np.tile(np.eye(4), (K, 1, 1)), np.tile(lens, (K, 1, 1)), truth
    return Task(Conditions(truth[0], warp, jnp.arange(K + 1.0)), *numbers)


def test_what_lies_outside_of_the_square_in_the_middle_is_not_scored() -> None:
    asked = task()
    assert asked.truth is not None
    frames = asked.truth.copy()
    frames[:, :, :6] = frames[:, :, -6:] = 0.5
    whole = known_scores(*compared(frames, asked, "all"))
    assert known_scores(frames, asked) == whole and max(psnr or 0 for psnr in whole["psnr"]) < 20
    cut, square = compared(frames, asked, "square")
    assert square.truth is not None and cut.shape == square.truth.shape == square.real.shape == (K, H, H, 3)
    np.testing.assert_array_equal(cut, square.truth)
    assert known_scores(cut, square)["hole_share"] == [0.5] * K
    np.testing.assert_allclose(square.intrinsics[0, :2, 2], (H - 1) / 2)
    np.testing.assert_allclose(square.intrinsics[0, [0, 1], [0, 1]], 20)


@pytest.mark.parametrize(("part", "size"), [("square", (8, 8)), ("all", (8, 14))])
def test_what_is_compared_can_be_made_smaller(part, size: tuple[int, int]) -> None:
    asked = task()
    assert asked.truth is not None
    frames, small = compared(asked.truth / 4 + 0.5, asked._replace(truth=asked.truth / 4 + 0.25), part, 8)
    assert small.truth is not None and frames.shape == (K, *size, 3) and small.holes.shape == (K, *size)
    np.testing.assert_allclose(small.holes.mean(), 0.5)
    np.testing.assert_allclose(small.intrinsics[0, :2, 2], [(size[1] - 1) / 2, (size[0] - 1) / 2])
    np.testing.assert_allclose(small.intrinsics[0, [0, 1], [0, 1]], 10)
    assert known_scores(frames, small)["psnr"] == pytest.approx([-20 * np.log10(0.25)] * K, abs=1e-3)
    without = compared(asked.truth, asked._replace(truth=None), part, 8)[1]
    assert without.truth is None and without.real.shape == (K, *size, 3)
