"""JAX's own attention: all scores at once, or cuDNN's kernel."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def whole(
    query: Float[Array, "b n heads d"], key: Float[Array, "b m heads d"], value: Float[Array, "b m heads d"]
) -> Float[Array, "b n heads d"]:
    """Every score at once, in any dtype and of any width, on any device."""
    dtype = query.dtype
    if dtype == jnp.float16:  # whose products summed in float32 XLA does not have on CPUs
        query, key, value = (x.astype(jnp.float32) for x in (query, key, value))
    return jax.nn.dot_product_attention(query, key, value, implementation="xla").astype(dtype)


def cudnn(
    query: Float[Array, "b n heads d"], key: Float[Array, "b m heads d"], value: Float[Array, "b m heads d"]
) -> Float[Array, "b n heads d"]:
    """cuDNN's flash attention, forward and backward: float16 or bfloat16, head width at most 128, on Nvidia GPUs."""
    return jax.nn.dot_product_attention(query, key, value, implementation="cudnn")


def runs_cudnn() -> bool:
    """Whether this process has an Nvidia GPU that cuDNN's flash attention supports (Ampere or later)."""
    if jax.default_backend() != "gpu":
        return False
    capability = getattr(jax.local_devices()[0], "compute_capability", None)  # AMD's have none that is a number
    return capability is not None and capability.replace(".", "").isdigit() and float(capability) >= 8
