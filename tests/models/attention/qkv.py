"""Random queries, keys and values, and the formula they are to be put through."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.models.comparing import QUICK_COMPILE

QKV = tuple[jax.Array, jax.Array, jax.Array]


def random_qkv(b: int, n: int, m: int, heads: int, d: int, dtype=jnp.float32) -> QKV:
    rng = np.random.default_rng(0)
    query, key, value = (jnp.asarray(rng.normal(size=(b, length, heads, d)), dtype) for length in (n, m, m))
    return query, key, value


def formula(query, key, value) -> np.ndarray:
    """In float64, one pair of heads and batch elements at a time."""
    query, key, value = (np.asarray(x, np.float64).swapaxes(1, 2) for x in (query, key, value))
    scores = np.exp(query @ key.swapaxes(2, 3) / np.sqrt(query.shape[-1]))
    return (scores / scores.sum(-1, keepdims=True) @ value).swapaxes(1, 2)


def with_gradients(attend: Callable[..., jax.Array]) -> Callable[..., tuple[jax.Array, ...]]:
    """The function of the result, and of the gradients of a sum in which every element of it counts differently."""

    def run(*qkv):
        result, pull_back = jax.vjp(attend, *qkv)
        return result, *pull_back(jnp.cos(3 * result))

    return run


def quickly(function: Callable[..., Any], qkv: QKV) -> Any:
    """Compiled with less care, and run."""
    return jax.jit(lambda *qkv: function(*qkv), compiler_options=QUICK_COMPILE)(*qkv)
