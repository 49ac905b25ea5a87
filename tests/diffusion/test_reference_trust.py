from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.diffusion import karras_sigmas, reference_trust
from nvs_jax.diffusion.reference_trust import K

DATA = Path(__file__).parents[1] / "data" / "lambda"


@pytest.mark.parametrize("steps", [25, 50, 100])
def test_equals_the_release(steps):
    stored = np.load(DATA / f"single_{steps}.npz")
    found = reference_trust(stored["sigmas"][:-1], np.arange(25) / 24)
    assert found.coefficients == pytest.approx(tuple(stored["v"]), abs=0)
    np.testing.assert_allclose(found.table, stored["weight"], rtol=0, atol=1e-9)


def test_equals_a_plain_search():
    """The same search, an entry at a time, on a table small enough for a loop."""
    from itertools import product

    from nvs_jax.diffusion.reference_trust import V1, V2, V3, B

    sigmas, distances = np.array([30.0, 2.0, 0.05]), np.array([0.0, 1.0, 3.0])

    def weight(v1, q):
        for v in (v1, -v1):
            square = (2 * K * v + K * q) ** 2 - 4 * K * v * (K * v + q * B)
            for sign in (1, -1):
                if square < 0:
                    continue
                lam = (-(2 * v + K * q) + sign * np.sqrt(square)) / (2 * K * v)
                if (v > 0 and lam > 1) or (v < 0 and 0 < lam <= 1):
                    return lam / (1 + lam)
        return None

    best, most, table = None, -1, None
    for v1, v2, v3 in product(V1, V2, V3):
        entries = [[1.0 if d == 0 else weight(v1, v3 * d / 3 - v2 * s / 30) for d in distances] for s in sigmas]
        if any(entry is None for row in entries for entry in row):
            continue
        count = (np.array(entries, float) > 0.5).sum()
        if count > most:
            best, most, table = (v1, v2, v3), count, entries
    found = reference_trust(sigmas, distances)
    assert best is not None
    assert found.coefficients == pytest.approx(best, abs=0)
    np.testing.assert_allclose(found.table, np.array(table, float), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=3, max_size=12), st.sampled_from([4, 25]))
def test_every_set_of_distances_has_a_table(distances, steps):
    table, coefficients = reference_trust(np.asarray(karras_sigmas(steps)[:-1]), np.array(distances))
    assert np.isfinite(table).all() and (table >= 0).all() and (table <= 1).all()
    assert min(coefficients) > 0
    assert (table[:, np.array(distances) == 0] == 1).all()


def test_where_no_triple_leaves_every_entry_a_root_those_without_are_at_the_kink():
    """Many distances: some Q is next to 0 whatever the triple. Nothing but one half is right there."""
    sigmas, distances = np.geomspace(1.0, 1e-4, 400), np.geomspace(1e-4, 1.0, 60)
    table, (v1, v2, v3) = reference_trust(sigmas, distances)
    q = v3 * distances - v2 * sigmas[:, None]
    kink = (q > -4 * v1 / K) & (q < v1 * (2 + K + 1 / K) / K)
    assert kink.any()
    np.testing.assert_array_equal(table[kink], 0.5)
    assert ((table[~kink] > 0.5) == (q[~kink] < 0)).all()


def test_given_views_alone_need_no_search():
    np.testing.assert_array_equal(reference_trust(np.array([700.0, 1.0]), np.zeros(3)).table, np.ones((2, 3)))
