"""The three networks an SVD is made of, as data: a configuration and a flat dict of weights each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.models.svd.config import ImageEncoderConfig, UNetConfig, VAEConfig
from nvs_jax.models.weights import Weights

CONFIG_CLASSES = {"unet": UNetConfig, "vae": VAEConfig, "image_encoder": ImageEncoderConfig}
"""Component -> its configuration's class. A component is named as its folder in the diffusers layout."""

WeightSharding = Callable[[str], jax.sharding.Sharding]
"""Where a parameter goes; its argument is "component/parameter", e.g. "unet/conv_in.weight"."""


@dataclass(frozen=True)
class SVDNetworks:
    """UNet, VAE and image encoder. Deliberately no pytree: jitted functions are handed the weights they need."""

    unet_config: UNetConfig
    unet: Weights
    vae_config: VAEConfig
    vae: Weights
    image_encoder_config: ImageEncoderConfig
    image_encoder: Weights

    def config(self, component: str) -> UNetConfig | VAEConfig | ImageEncoderConfig:
        """Configuration of one component."""
        return getattr(self, f"{component}_config")

    def weights(self, component: str) -> Weights:
        """Weights of one component."""
        return getattr(self, component)


def held_dtype(component: str, stored: Any, wanted: Any = None) -> np.dtype:
    """The dtype a component's weights are held in.

    Args:
        component: a key of `CONFIG_CLASSES`.
        stored: dtype they are read in.
        wanted: dtype asked for; None keeps the stored one.

    Returns:
        float32 for the VAE whatever is asked, since it overflows in half precision; elsewhere the wanted dtype, and
        float32 in place of a stored float64.

    >>> held_dtype("unet", "float32", "bfloat16"), held_dtype("vae", "float16", "bfloat16")
    (dtype(bfloat16), dtype('float32'))
    """
    if component == "vae":
        return np.dtype(np.float32)
    kept = jnp.dtype(stored)
    return jnp.dtype(wanted) if wanted is not None else np.dtype(np.float32) if kept == np.float64 else kept
