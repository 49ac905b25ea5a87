"""Scaled dot-product attention: one function, several back ends, chosen by shape and device.

The choice is made when a program is lowered, for the platform it is lowered for, so that a program compiled for TPUs
on a machine without one is the program that runs there.
"""

from functools import partial

import jax
from jaxtyping import Array, Float

from nvs_jax.models.attention.choice import Backend, Name, choose_backend
from nvs_jax.models.attention.library import assuming_cudnn, cudnn, cudnn_version, runs_cudnn, whole
from nvs_jax.models.attention.queries import chunked
from nvs_jax.models.attention.record import note, used_backends
from nvs_jax.models.attention.tpu import splash
from nvs_jax.sharding import over_batch, parts_of_batch

__all__ = ["Backend", "Name", "assuming_cudnn", "attention", "choose_backend", "used_backends"]

# On a mesh the compiler divides plain products by itself; loops and kernels have to be told.
_BACKENDS = {
    "xla": whole,
    "chunked": partial(over_batch, chunked),
    "cudnn": partial(over_batch, cudnn),
    "splash": partial(over_batch, splash),
}


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
        backend: "auto" is `choose_backend`'s for the platform the program is compiled for; a name is that one, and an
            error where it cannot run.

    >>> ones = jax.numpy.ones((1, 2, 1, 8))
    >>> attention(ones, ones, 3 * ones)[0, 0, 0, 0]
    Array(3., dtype=float32)
    """
    shape = (-(-query.shape[0] // parts_of_batch()), *query.shape[1:])  # what each device has of it
    note(shape, key.shape[1], query.dtype, backend)
    if backend != "auto":
        return _BACKENDS[backend](query, key, value)
    # The tracing of cuDNN's attention asks the GPU what it can do, so that it is left out where there is none.
    platforms = ("tpu", "cuda") if runs_cudnn() else ("tpu",)
    default = choose_backend(shape, key.shape[1], query.dtype, "cpu")
    chosen = {name: choose_backend(shape, key.shape[1], query.dtype, name, cudnn_version()) for name in platforms}
    special = {platform: _BACKENDS[name] for platform, name in chosen.items() if name != default}
    if not special:
        return _BACKENDS[default](query, key, value)
    return jax.lax.platform_dependent(query, key, value, default=_BACKENDS[default], **special)
