"""Networks as data: a configuration and a flat dict of weights each, on the device together or one at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import jax

from nvs_jax.models.weights import Weights

WeightSharding = Callable[[str, tuple[int, ...]], jax.sharding.Sharding]
"""Where a parameter goes, by "component/parameter", e.g. "unet/conv_in.weight", and its shape."""


@runtime_checkable
class Networks(Protocol):
    """What a model is made of. A component is named as its folder in the diffusers layout."""

    @property
    def configs(self) -> Mapping[str, Any]:
        """Of each component."""
        ...

    def weights(self, component: str) -> Weights:
        """Of one component; valid until another one is asked for."""
        ...


@dataclass(frozen=True)
class Weightless:
    """Configurations, and the weights of those networks that are going to be used: shapes, tracers or arrays."""

    configs: Mapping[str, Any]
    held: Mapping[str, Weights] = field(default_factory=dict)

    def weights(self, component: str) -> Weights:
        """Of one component; none where none were given."""
        return self.held.get(component, {})


class NetworksInTurn:
    """Networks of which one at a time is on the device, which cannot hold all beside the work.

    A component is loaded when it is asked for, and then the one before is freed. Freed arrays are deleted, whoever
    still refers to them: who asks for the next component must be done with the last.

    Args:
        configs: of each component.
        load: reads the weights of one onto the device.
    """

    def __init__(self, configs: Mapping[str, Any], load: Callable[[str], Weights]):
        self._configs = dict(configs)
        self._load = load
        self._held: tuple[str, Weights] | None = None

    @property
    def configs(self) -> Mapping[str, Any]:
        """Of each component."""
        return self._configs

    def weights(self, component: str) -> Weights:
        """Weights of one component, valid until another one is asked for."""
        if self._held is None or self._held[0] != component:
            self.free()
            self._held = component, self._load(component)
        return self._held[1]

    def free(self) -> None:
        """Delete the arrays of the component on the device, if there is one."""
        if self._held is not None:
            for array in self._held[1].values():
                array.delete()
        self._held = None
