"""Scaled dot-product attention: one function, several back ends."""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Backend = Literal["auto", "xla", "chunked"]

# Scores of more elements than this are computed in chunks of queries: 2^28 float32 scores are 1 GiB.
MAX_SCORES = 2**28


def attention(
    query: Float[Array, "b n heads d"],
    key: Float[Array, "b m heads d"],
    value: Float[Array, "b m heads d"],
    *,
    backend: Backend = "auto",
) -> Float[Array, "b n heads d"]:
    """`softmax(q k^T / sqrt(d)) v`, softmax in float32, result in the dtype of `query`.

    Args:
        query: queries.
        key: keys.
        value: values.
        backend: "xla" materialises the scores, "chunked" a slice of queries' scores at a time, "auto" takes
            the first that fits `MAX_SCORES`.
    """
    if backend == "auto":
        scores = query.shape[0] * query.shape[2] * query.shape[1] * key.shape[1]
        backend = "xla" if scores <= MAX_SCORES else "chunked"
    if backend == "xla":
        return jax.nn.dot_product_attention(query, key, value, implementation="xla")
    return _chunked(query, key, value)


def _chunked(query: Array, key: Array, value: Array) -> Array:
    """Attention of one batch element and one slice of its queries at a time."""
    _, n, heads, _ = query.shape
    chunk = max(1, min(n, MAX_SCORES // (heads * key.shape[1])))
    chunks = -(-n // chunk)
    padded = jnp.pad(query, ((0, 0), (0, chunks * chunk - n), (0, 0), (0, 0)))

    def one_batch(qkv: tuple[Array, Array, Array]) -> Array:
        q, k, v = qkv

        def one_chunk(part: Array) -> Array:
            return jax.nn.dot_product_attention(part[None], k[None], v[None], implementation="xla")[0]

        return jax.lax.map(one_chunk, q.reshape(chunks, chunk, *q.shape[1:])).reshape(q.shape)

    return jax.lax.map(one_batch, (padded, key, value))[:, :n]
