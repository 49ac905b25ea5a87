"""Numbers that are none: NaN and infinity."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from nvs_jax.checks.outcome import Outcome


def check_finite(name: str, arrays: PyTree[Float[Array, "..."]]) -> Outcome:
    """How many values of `arrays` are NaN or infinite: none may be.

    >>> check_finite("weights", {"a": jnp.array([1.0, jnp.nan])}).measured
    1.0
    """
    return Outcome(f"{name}: values that are NaN or infinite", float(_not_finite(arrays)), low=0, high=0)


@jax.jit
def _not_finite(arrays: PyTree[Float[Array, "..."]]) -> Float[Array, ""]:
    return sum((jnp.sum(~jnp.isfinite(array), dtype=jnp.float32) for array in jax.tree.leaves(arrays)), jnp.float32(0))
