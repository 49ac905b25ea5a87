import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.models.attention import queries
from nvs_jax.models.attention.library import whole
from nvs_jax.models.attention.queries import chunked
from tests.models.attention.qkv import formula, quickly, random_qkv, with_gradients


# 2 heads and 6 keys make 12 scores a query, 84 an element: slices of 1, 3 and 5 queries, then 2 and all 3 elements.
@pytest.mark.parametrize("limit", [1, 36, 60, 168, 10_000])
def test_chunks_that_do_not_divide_change_nothing(monkeypatch, limit):
    qkv = random_qkv(3, 7, 6, 2, 4)
    monkeypatch.setattr(queries, "CHUNK_SCORES", limit)
    results, expected = (quickly(with_gradients(attend), qkv) for attend in (_chunked_now(), whole))
    for ours, theirs in zip(results, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


@settings(max_examples=8)
@given(st.tuples(*[st.integers(1, most) for most in (4, 40, 40, 3, 9)]), st.integers(1, 6000))
def test_whatever_the_shape_chunks_change_nothing(sizes, limit):
    qkv = random_qkv(*sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "CHUNK_SCORES", limit)
        ours = quickly(_chunked_now(), qkv)
    np.testing.assert_allclose(ours, formula(*qkv), atol=2e-6)


def _chunked_now() -> Callable[..., jax.Array]:
    """A function of its own, since JAX remembers what it traced before the limit changed."""
    return lambda *qkv: chunked(*qkv)


# An element has 2 * 64 * 48 = 6144 scores, the whole batch 24,576; the arrays handed in have at most 2048 elements.
@pytest.mark.parametrize("limit", [2048, 6144, 12_288])
@pytest.mark.parametrize("backward", [False, True])
def test_no_more_scores_than_a_chunks_are_ever_held(monkeypatch, limit, backward):
    qkv = random_qkv(4, 64, 48, 2, 4)
    monkeypatch.setattr(queries, "CHUNK_SCORES", limit)
    function = with_gradients(_chunked_now()) if backward else _chunked_now()
    assert _largest(jax.make_jaxpr(function)(*qkv).jaxpr) == max(limit, qkv[0].size)


def _largest(jaxpr: Any) -> int:
    """Elements of the largest array in a program, those inside its loops included."""
    sizes = [math.prod(variable.aval.shape) for equation in jaxpr.eqns for variable in equation.outvars]
    inner = [
        getattr(value, "jaxpr", value)
        for equation in jaxpr.eqns
        for value in equation.params.values()
        if hasattr(value, "jaxpr") or hasattr(value, "eqns")
    ]
    return max([*sizes, *map(_largest, inner)])
