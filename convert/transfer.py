"""From a published file to the devices, one tensor at a time: read, permute, cast, place, drop."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from convert.key_table import Taken
from convert.tensor_files import TensorFiles
from nvs_jax.models.networks import WeightSharding
from nvs_jax.models.weights import ParameterSpec, require_finite
from nvs_jax.sharding import put


def transfer(
    tensors: TensorFiles,
    taken: Mapping[str, Taken],
    specs: Mapping[str, ParameterSpec],
    component: str,
    held: Callable[[Any], np.dtype],
    sharding: WeightSharding | None = None,
) -> Iterator[tuple[str, Array]]:
    """The weights of one network out of published tensors, by name, one after the other.

    Args:
        tensors: the published tensors.
        taken: where each parameter comes from, as `convert.key_table.match` found it.
        specs: shapes and axes of the network's parameters, none of them a stack (`of_single_layers`).
        component: what `sharding` knows the network by.
        held: from the dtype of a published tensor to that on the device.
        sharding: where each parameter goes; None puts all on the default device.

    Raises:
        InputError: (of the iterator) a value is NaN or infinite.
    """

    def placed(name: str, spec: ParameterSpec) -> Array:
        # A function of its own, so that nothing here holds what has been handed over.
        ours = _parameter(tensors, taken[name], spec, held)
        return put(ours, sharding(f"{component}/{name}", ours.shape)) if sharding else jax.device_put(ours)

    for name, spec in specs.items():
        yield name, placed(name, spec)


def host() -> Any:
    """What a conversion holds its weights on: no accelerator, whose memory it does not need; None: JAX knows no CPU."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:  # JAX was told to know no CPU
        return None


def _parameter(tensors: TensorFiles, taken: Taken, spec: ParameterSpec, held: Callable[[Any], np.dtype]) -> np.ndarray:
    published = taken.change.apply(tensors.read(taken.key))
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, which is said
        ours = np.ascontiguousarray(published.transpose(spec.published_axes), held(published.dtype))
    require_finite(taken.key, ours, tensors.name)
    return ours
