"""Networks that are on the device one at a time, for devices that cannot hold all three beside the work."""

from collections.abc import Callable, Mapping

from nvs_jax.models.svd.config import ImageEncoderConfig, UNetConfig, VAEConfig
from nvs_jax.models.weights import Weights

Loader = Callable[[str], Weights]
"""Reads the weights of a component, named as in `CONFIG_CLASSES`, onto the device."""


class NetworksInTurn:
    """Stands in for `SVDNetworks`: a component is loaded when it is asked for, and then the one before is freed.

    Freed arrays are deleted, whoever still refers to them: who asks for the next component must be done with the last.

    Args:
        configs: of each component.
        load: reads one.
    """

    def __init__(self, configs: Mapping[str, UNetConfig | VAEConfig | ImageEncoderConfig], load: Loader):
        self._configs = dict(configs)
        self._load = load
        self._held: tuple[str, Weights] | None = None

    def config(self, component: str) -> UNetConfig | VAEConfig | ImageEncoderConfig:
        """Configuration of one component."""
        return self._configs[component]

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

    @property
    def unet_config(self) -> UNetConfig:
        """The UNet's configuration."""
        config = self._configs["unet"]
        assert isinstance(config, UNetConfig)
        return config

    @property
    def vae_config(self) -> VAEConfig:
        """The VAE's configuration."""
        config = self._configs["vae"]
        assert isinstance(config, VAEConfig)
        return config

    @property
    def image_encoder_config(self) -> ImageEncoderConfig:
        """The image encoder's configuration."""
        config = self._configs["image_encoder"]
        assert isinstance(config, ImageEncoderConfig)
        return config

    @property
    def unet(self) -> Weights:
        """The UNet's weights."""
        return self.weights("unet")

    @property
    def vae(self) -> Weights:
        """The VAE's weights."""
        return self.weights("vae")

    @property
    def image_encoder(self) -> Weights:
        """The image encoder's weights."""
        return self.weights("image_encoder")
