"""Attention a slice of the queries at a time: exact, anywhere, with a bounded number of scores in memory."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.models.attention.library import whole

# Scores computed at a time: 2^26 in float32 are 256 MiB.
CHUNK_SCORES = 2**26


def chunked(
    query: Float[Array, "b n heads d"], key: Float[Array, "b m heads d"], value: Float[Array, "b m heads d"]
) -> Float[Array, "b n heads d"]:
    """Several batch elements at a time where they are small, otherwise a slice of one element's queries at a time.

    The backward pass computes a slice's scores again, rather than keep them all.
    """
    b, n, heads, _ = query.shape
    together = CHUNK_SCORES // (n * heads * key.shape[1])

    def element(qkv: tuple[Array, Array, Array]) -> Array:
        return _in_slices(*qkv) if together < 1 else _again_whole(*qkv)

    return jax.lax.map(element, (query, key, value), batch_size=max(1, min(b, together)))


def _in_slices(
    query: Float[Array, "n heads d"], key: Float[Array, "m heads d"], value: Float[Array, "m heads d"]
) -> Float[Array, "n heads d"]:
    """Slices of equal size, the last one padded with queries whose results are dropped."""
    n = len(query)
    most = max(1, CHUNK_SCORES // (query.shape[1] * len(key)))
    slices = -(-n // most)
    size = -(-n // slices)
    padded = jnp.pad(query, ((0, slices * size - n), (0, 0), (0, 0)))
    parts = padded.reshape(slices, size, *query.shape[1:])
    return jax.lax.map(lambda part: _again_whole(part, key, value), parts).reshape(padded.shape)[:n]


def _again_whole(query: Array, key: Array, value: Array) -> Array:
    """One element, computed again in the backward pass; the loop around it keeps XLA from merging the two."""
    compute = jax.checkpoint(lambda q, k, v: whole(q[None], k[None], v[None])[0], prevent_cse=False)
    return compute(query, key, value)
