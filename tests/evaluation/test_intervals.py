import math

import numpy as np
import pytest

from nvs_jax.evaluation.intervals import interval, paired_interval


def test_a_known_interval():
    # Mean 5, standard deviation sqrt(10/4) = 1.5811, n = 5; t(0.975, 4) = 2.7764.
    mean, half = interval([3.0, 4.0, 5.0, 6.0, 7.0])
    assert mean == 5
    assert half == pytest.approx(2.7764451 * math.sqrt(2.5 / 5), rel=1e-6)


def test_it_holds_the_true_mean_in_95_of_100_cases():
    draws = np.random.default_rng(0).normal(1.0, 2.0, (4000, 8))
    held = [abs(one.mean - 1) <= one.half for one in map(interval, draws.tolist())]
    # The share is binomial: its standard deviation is 0.0034; the bound is four of them.
    assert abs(np.mean(held) - 0.95) < 0.014


def test_pairs_hide_what_differs_between_scenes():
    scenes = np.random.default_rng(1).normal(20, 5, 16)
    better = scenes + 0.5
    assert paired_interval(better.tolist(), scenes.tolist()) == pytest.approx((0.5, 0), abs=1e-6)
    assert interval(better.tolist()).half > 1


def test_what_is_missing_is_left_out():
    assert interval([1.0, math.nan, 3.0]) == interval([1.0, 3.0])
    alone = interval([2.0])
    assert (alone.mean, math.isnan(alone.half), str(alone)) == (2.0, True, "2.00")
    assert str(interval([math.nan])) == "-"
