"""Scaled dot-product attention: one function, several back ends, chosen by shape and device.

The choice is made when a program is lowered, for the platform it is lowered for, so that a program compiled for TPUs
on a machine without one is the program that runs there.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import jax
from jaxtyping import Array, Float

from nvs_jax.models.attention.choice import Backend, Name, choose_backend
from nvs_jax.models.attention.library import assuming_cudnn, cudnn, cudnn_version, runs_cudnn, whole
from nvs_jax.models.attention.queries import chunked
from nvs_jax.models.attention.record import note, used_backends
from nvs_jax.models.attention.tpu import splash
from nvs_jax.sharding import Layout, batch_shards, location_shards, over_batch, over_shares, parts_of_batch

__all__ = ["Backend", "Divided", "Name", "assuming_cudnn", "attention", "choose_backend", "used_backends"]

Divided = Literal["batch", "heads", "queries"]
"""What of an attention devices divide: batch elements alone; or those of the branches, and of each its heads, or its
queries, whose keys every device has."""

# On a mesh the compiler divides plain products by itself; loops and kernels have to be told.
_BACKENDS: dict[Name, Callable[..., Array]] = {"xla": whole, "chunked": chunked, "cudnn": cudnn, "splash": splash}
_LAYOUTS: dict[Divided, tuple[Layout, Layout, Layout]] = {
    "heads": ("heads", "heads", "heads"),
    "queries": ("tokens", "branches", "branches"),
}


def attention(
    query: Float[Array, "b n heads d"],
    key: Float[Array, "b m heads d"],
    value: Float[Array, "b m heads d"],
    *,
    backend: Backend = "auto",
    divided: Divided = "batch",
) -> Float[Array, "b n heads d"]:
    """`softmax(q k^T / sqrt(d)) v`, softmax in float32 (of float64 in float64), result in the dtype of `query`.

    Args:
        query: queries.
        key: keys.
        value: values.
        backend: "auto" is `choose_backend`'s for the platform the program is compiled for; a name is that one, and an
            error where it cannot run.
        divided: among the devices of a mesh; what is, but for the batch, must divide evenly.

    >>> ones = jax.numpy.ones((1, 2, 1, 8))
    >>> attention(ones, ones, 3 * ones)[0, 0, 0, 0]
    Array(3., dtype=float32)
    """
    shape = _of_each_device(query.shape, divided)
    backends = {name: _on_mesh(name, divided) for name in _BACKENDS}
    note(shape, key.shape[1], query.dtype, backend)
    if backend != "auto":
        return backends[backend](query, key, value)
    # The tracing of cuDNN's attention asks the GPU what it can do, so that it is left out where there is none.
    platforms = ("tpu", "cuda") if runs_cudnn() else ("tpu",)
    default = choose_backend(shape, key.shape[1], query.dtype, "cpu")
    chosen = {name: choose_backend(shape, key.shape[1], query.dtype, name, cudnn_version()) for name in platforms}
    special = {platform: backends[name] for platform, name in chosen.items() if name != default}
    if not special:
        return backends[default](query, key, value)
    return jax.lax.platform_dependent(query, key, value, default=backends[default], **special)


def _of_each_device(shape: tuple[int, ...], divided: Divided) -> tuple[int, ...]:
    """What each device has of queries of this shape."""
    b, n, heads, d = shape
    if divided == "batch":
        return -(-b // parts_of_batch()), n, heads, d
    parts = location_shards(b)
    mine = (n, heads // parts) if divided == "heads" else (n // parts, heads)
    return b // batch_shards(b), *mine, d


def _on_mesh(name: Name, divided: Divided) -> Callable[..., Array]:
    function = _BACKENDS[name]
    if name == "xla":
        return function
    if divided == "batch":
        return partial(over_batch, function)
    layouts = _LAYOUTS[divided]
    return lambda *arrays: over_shares(function, arrays, layouts, layouts[0])
