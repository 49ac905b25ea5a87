"""Published weights, or a checkpoint: opened, understood, and not yet read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Array

from nvs_jax.models.contract import Lattice
from nvs_jax.models.families import family
from nvs_jax.models.networks import Networks, NetworksInTurn, WeightSharding
from nvs_jax.models.stacking import joined, of_layers
from nvs_jax.models.weights import ParameterSpec, Weights, parameter_specs

Read = Callable[[str, Any, WeightSharding | None], Iterator[tuple[str, Array]]]
"""The weights of a component by name, each read when its turn comes: component, dtype, sharding. Stacks may come layer
by layer (`nvs_jax.models.stacking`); then the sharding is asked about layers."""


@dataclass(frozen=True)
class Opened:
    """What weights are of, and how they are read.

    Attributes:
        family: a name in `nvs_jax.models.families`.
        configs: of each component.
        read: gives weights.
    """

    family: str
    configs: Mapping[str, Any]
    read: Read

    @property
    def lattice(self) -> Lattice:
        """Of the model."""
        return family(self.family).lattice_of(self.configs)

    def specs(self, component: str) -> dict[str, ParameterSpec]:
        """Of the parameters of one network."""
        return parameter_specs(family(self.family).build(self.configs[component]))

    def arrays(
        self, component: str, dtype: Any = None, sharding: WeightSharding | None = None
    ) -> Iterator[tuple[str, Array]]:
        """Weights of one network, by name, each read when its turn comes, to its dtype and its devices.

        Args:
            component: a key of `configs`.
            dtype: asked for; a network that needs float32 keeps it. None keeps the stored one.
            sharding: where each parameter goes; None puts all on the default device.

        Raises:
            InputError: the weights are damaged, or do not fit their configuration.
        """
        specs = self.specs(component)
        layers = of_layers(sharding, specs, component) if sharding else None
        return joined(self.read(component, dtype, layers), specs, component, sharding)

    def load(self, component: str, dtype: Any = None, sharding: WeightSharding | None = None) -> Weights:
        """The same, all of them."""
        return dict(self.arrays(component, dtype, sharding))

    def networks(self, dtype: Any = None, sharding: WeightSharding | None = None) -> Networks:
        """The weights of all networks."""
        weights = {component: self.load(component, dtype, sharding) for component in self.configs}
        return family(self.family).gather(self.configs, weights)

    def in_turn(self, dtype: Any = None, sharding: WeightSharding | None = None) -> NetworksInTurn:
        """The networks one at a time."""
        return NetworksInTurn(self.configs, lambda component: self.load(component, dtype, sharding))
