"""Numbers that are none: NaN and infinity."""

import jax
import numpy as np
from jaxtyping import Array, Float, PyTree

from nvs_jax.checks.outcome import Outcome


def check_finite(name: str, arrays: PyTree[Float[Array, "..."] | Float[np.ndarray, "..."]]) -> Outcome:
    """How many values of `arrays` are NaN or infinite: none may be.

    Counted on the host, array by array: a program over a thousand shapes would take longer to compile than to run.

    >>> check_finite("weights", {"a": jax.numpy.array([1.0, jax.numpy.nan])}).measured
    1.0
    """
    bad = sum(np.count_nonzero(~np.isfinite(np.asarray(array))) for array in jax.tree.leaves(arrays))
    return Outcome(f"{name}: values that are NaN or infinite", float(bad), low=0, high=0)
