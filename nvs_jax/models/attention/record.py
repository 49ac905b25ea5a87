"""Which attentions this process has put into programs, so that a run can say what it used."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from nvs_jax.models.attention.choice import Backend, choose_backend
from nvs_jax.models.attention.library import cudnn_version, runs_cudnn


class _Attention(NamedTuple):
    query_shape: tuple[int, ...]
    key_length: int
    dtype: str
    backend: Backend


# In the order of their first use. A program traced once stays here, as it stays in JAX's cache.
_seen: dict[_Attention, None] = {}


def note(query_shape: tuple[int, ...], key_length: int, dtype: Any, backend: Backend) -> None:
    """Remember an attention as it is traced."""
    _seen[_Attention(tuple(query_shape), key_length, jnp.dtype(dtype).name, backend)] = None


def used_backends(platform: str | None = None) -> dict[str, str]:
    """What every attention traced so far in this process is, or was, computed by.

    Args:
        platform: of the devices that ran the programs, as `choose_backend` takes it; None for this process's own.

    Returns:
        "queries x keys, heads x width, dtype, in batches of b" -> back end.
    """
    if platform is None:
        platform = "cuda" if runs_cudnn() else jax.default_backend()
    return {
        f"{seen.query_shape[1]}x{seen.key_length}, {seen.query_shape[2]}x{seen.query_shape[3]}, {seen.dtype}, "
        f"in batches of {seen.query_shape[0]}": (
            choose_backend(seen.query_shape, seen.key_length, seen.dtype, platform, cudnn_version())
            if seen.backend == "auto"
            else seen.backend
        )
        for seen in _seen
    }
