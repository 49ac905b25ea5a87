"""JAX's own attention: all scores at once, or cuDNN's kernel."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Version = tuple[int, ...]
_ASSUMED: ContextVar[Version | None] = ContextVar("assumed", default=None)


def whole(
    query: Float[Array, "b n heads d"], key: Float[Array, "b m heads d"], value: Float[Array, "b m heads d"]
) -> Float[Array, "b n heads d"]:
    """Every score at once, in any dtype and of any width, on any device."""
    dtype = query.dtype
    if dtype == jnp.float64:  # whose scores JAX's own rounds to float32
        scores = jnp.einsum("bnhd,bmhd->bhnm", query, key) / query.shape[-1] ** 0.5
        return jnp.einsum("bhnm,bmhd->bnhd", jax.nn.softmax(scores), value)
    if dtype == jnp.float16:  # whose products summed in float32 XLA does not have on CPUs
        query, key, value = (x.astype(jnp.float32) for x in (query, key, value))
    return jax.nn.dot_product_attention(query, key, value, implementation="xla").astype(dtype)


def cudnn(
    query: Float[Array, "b n heads d"], key: Float[Array, "b m heads d"], value: Float[Array, "b m heads d"]
) -> Float[Array, "b n heads d"]:
    """cuDNN's flash attention: float16 or bfloat16, head width at most 128, on Nvidia GPUs.

    Its backward pass takes even lengths only; of others `whole` is differentiated, from the same queries and keys.
    """
    if query.shape[1] % 2 or key.shape[1] % 2:
        return _cudnn_forward(query, key, value)
    return jax.nn.dot_product_attention(query, key, value, implementation="cudnn")


@jax.custom_vjp
def _cudnn_forward(query: Array, key: Array, value: Array) -> Array:
    return jax.nn.dot_product_attention(query, key, value, implementation="cudnn")


def _forward(query: Array, key: Array, value: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    return _cudnn_forward(query, key, value), (query, key, value)


def _backward(inputs: tuple[Array, Array, Array], cotangent: Array) -> tuple[Array, Array, Array]:
    return jax.vjp(whole, *inputs)[1](cotangent)


_cudnn_forward.defvjp(_forward, _backward)


def runs_cudnn() -> bool:
    """Whether programs are made for an Nvidia GPU that cuDNN's flash attention supports (Ampere or later)."""
    if _ASSUMED.get() is not None:
        return True
    if jax.default_backend() != "gpu":
        return False
    capability = getattr(jax.local_devices()[0], "compute_capability", None)  # AMD's have none that is a number
    return capability is not None and capability.replace(".", "").isdigit() and float(capability) >= 8


def cudnn_version() -> Version:
    """That of cuDNN; zeros where none of Nvidia's packages says it.

    >>> with assuming_cudnn((9, 15, 1)):
    ...     cudnn_version()
    (9, 15, 1)
    """
    return _ASSUMED.get() or _installed_version()


@contextmanager
def assuming_cudnn(version: Version) -> Iterator[None]:
    """What is traced inside is for a GPU of Nvidia's with this version of cuDNN, whether or not one is there."""
    token = _ASSUMED.set(version)
    try:
        yield
    finally:
        _ASSUMED.reset(token)


@cache
def _installed_version() -> Version:
    for package in ("nvidia-cudnn-cu13", "nvidia-cudnn-cu12"):
        try:
            return tuple(int(part) for part in version(package).split(".") if part.isdigit())
        except PackageNotFoundError:
            continue
    return (0, 0, 0)
