import math

import pytest

from nvs_jax.checks import Outcome, verdict


@pytest.mark.parametrize(
    ("measured", "low", "high", "ok"),
    [
        (1.0, 1.0, 1.0, True),
        (1.0, -math.inf, 2.0, True),
        (2.1, 0.0, 2.0, False),
        (math.nan, -math.inf, math.inf, False),
        (math.inf, 28.0, math.inf, False),
    ],
)
def test_a_number_passes_inside_its_range(measured, low, high, ok):
    outcome = Outcome("a name", measured, low, high)
    assert outcome.ok == ok
    assert str(outcome).startswith("ok " if ok else "FAIL ")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0, 0, "0"), (28, math.inf, "at least 28"), (-math.inf, 1, "at most 1"), (0.25, 3, "0.25 to 3")],
)
def test_a_range_in_words(low, high, words):
    assert Outcome("a name", 0.0, low, high).expected == words


def test_the_verdict_names_what_failed():
    good, bad = Outcome("good", 1.0), Outcome("bad", 1.0, low=2.0)
    assert verdict("svd", [good]) == "svd: sound, all 1 checks passed"
    assert verdict("svd", [good, bad]) == "svd: NOT SOUND, 1 of 2 checks failed: bad"
