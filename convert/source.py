"""What every kind of source offers: configurations at once, and the weights of one network at a time."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array

from nvs_jax.models.svd.config import ImageEncoderConfig, UNetConfig, VAEConfig
from nvs_jax.models.svd.networks import CONFIG_CLASSES, SVDNetworks, WeightSharding
from nvs_jax.models.weights import Weights


@runtime_checkable
class Source(Protocol):
    """Published weights, or a checkpoint: opened, understood, and not yet read."""

    def config(self, component: str) -> UNetConfig | VAEConfig | ImageEncoderConfig:
        """Configuration of "unet", "vae" or "image_encoder"."""
        ...

    def arrays(
        self, component: str, dtype: Any = None, sharding: WeightSharding | None = None
    ) -> Iterator[tuple[str, Array]]:
        """Weights of one network, by name, each read when its turn comes; arguments as `convert.transfer.transfer`."""
        ...

    def load_component(self, component: str, dtype: Any = None, sharding: WeightSharding | None = None) -> Weights:
        """The same, all of them."""
        ...


def load_all(source: Source, dtype: Any = None, sharding: WeightSharding | None = None) -> SVDNetworks:
    """All three networks; arguments as `convert.transfer.transfer`."""
    fields: dict[str, Any] = {f"{component}_config": source.config(component) for component in CONFIG_CLASSES}
    fields |= {component: source.load_component(component, dtype, sharding) for component in CONFIG_CLASSES}
    return SVDNetworks(**fields)
