import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax.models.attention as module
from nvs_jax.models.attention import attention


def _qkv(b: int, n: int, m: int, heads: int, d: int, dtype=jnp.float32) -> tuple[jax.Array, jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(0), 3)
    shapes = (b, n, heads, d), (b, m, heads, d), (b, m, heads, d)
    query, key, value = (jax.random.normal(k, shape, dtype) for k, shape in zip(keys, shapes, strict=True))
    return query, key, value


def _formula(query, key, value) -> np.ndarray:
    """In float64, one pair of heads and batch elements at a time."""
    query, key, value = (np.asarray(x, np.float64).swapaxes(1, 2) for x in (query, key, value))
    scores = np.exp(query @ key.swapaxes(2, 3) / np.sqrt(query.shape[-1]))
    return (scores / scores.sum(-1, keepdims=True) @ value).swapaxes(1, 2)


@pytest.mark.parametrize("backend", ["auto", "xla", "chunked"])
@pytest.mark.parametrize("sizes", [(2, 7, 7, 3, 4), (1, 5, 9, 1, 8), (3, 4, 1, 2, 5)])
def test_every_back_end_is_the_formula(backend, sizes):
    qkv = _qkv(*sizes)
    np.testing.assert_allclose(attention(*qkv, backend=backend), _formula(*qkv), atol=2e-6)


# 2 heads and 6 keys make 12 scores a query: chunks of 1, 3, 5 and all 7 queries.
@pytest.mark.parametrize("limit", [1, 36, 60, 10_000])
def test_chunks_that_do_not_divide_the_queries_change_nothing(monkeypatch, limit):
    qkv = _qkv(2, 7, 6, 2, 4)
    monkeypatch.setattr(module, "MAX_SCORES", limit)
    np.testing.assert_allclose(attention(*qkv, backend="chunked"), attention(*qkv, backend="xla"), atol=1e-6)


def test_auto_takes_chunks_exactly_above_the_limit(monkeypatch):
    query, key, value = _qkv(2, 7, 6, 2, 4)

    def largest(limit: int) -> int:
        """Elements of the largest array in the program."""
        monkeypatch.setattr(module, "MAX_SCORES", limit)
        program = jax.make_jaxpr(lambda *qkv: attention(*qkv))(query, key, value)
        return _largest(program.jaxpr)

    assert largest(2 * 2 * 7 * 6) == 2 * 2 * 7 * 6
    assert largest(2 * 2 * 7 * 6 - 1) == query.size


def _largest(jaxpr: Any) -> int:
    sizes = [math.prod(variable.aval.shape) for equation in jaxpr.eqns for variable in equation.outvars]
    inner = [value.jaxpr for equation in jaxpr.eqns for value in equation.params.values() if hasattr(value, "jaxpr")]
    return max([*sizes, *map(_largest, inner)])


@pytest.mark.parametrize("backend", ["xla", "chunked"])
def test_the_softmax_is_float32_for_bfloat16(backend):
    # Scores 128 and 128.5, which bfloat16 cannot tell apart.
    query = jnp.array([16, 1, 0, 0], jnp.bfloat16).reshape(1, 1, 1, 4)
    key = jnp.array([[16, 0, 0, 0], [16, 1, 0, 0]], jnp.bfloat16).reshape(1, 2, 1, 4)
    value = jnp.array([[0] * 4, [1] * 4], jnp.bfloat16).reshape(1, 2, 1, 4)
    result = attention(query, key, value, backend=backend)
    assert result.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(result, np.float32), 1 / (1 + np.exp(-0.5)), rtol=2**-8)


def test_gradients_through_chunks_are_those_of_the_whole(monkeypatch):
    qkv = _qkv(1, 5, 6, 2, 4)
    monkeypatch.setattr(module, "MAX_SCORES", 24)

    def gradients(backend):
        return jax.grad(lambda qkv: jnp.sin(attention(*qkv, backend=backend)).sum())(qkv)

    for chunked, whole in zip(gradients("chunked"), gradients("xla"), strict=True):
        np.testing.assert_allclose(chunked, whole, atol=1e-6)
