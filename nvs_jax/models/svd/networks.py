"""The three networks an SVD is made of, as data: a configuration and a flat dict of weights each."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.networks import Networks
from nvs_jax.models.svd.config import UNetConfig, VAEConfig
from nvs_jax.models.weights import Weights

CONFIG_CLASSES = {"unet": UNetConfig, "vae": VAEConfig, "image_encoder": ImageEncoderConfig}
"""Component -> its configuration's class. A component is named as its folder in the diffusers layout."""


@dataclass(frozen=True)
class SVDNetworks:
    """UNet, VAE and image encoder. Deliberately no pytree: jitted functions are handed the weights they need."""

    unet_config: UNetConfig
    unet: Weights
    vae_config: VAEConfig
    vae: Weights
    image_encoder_config: ImageEncoderConfig
    image_encoder: Weights

    @property
    def configs(self) -> dict[str, UNetConfig | VAEConfig | ImageEncoderConfig]:
        """Of each component."""
        return {component: getattr(self, f"{component}_config") for component in CONFIG_CLASSES}

    def weights(self, component: str) -> Weights:
        """Weights of one component."""
        return getattr(self, component)


def as_svd(networks: Networks) -> SVDNetworks:
    """The networks, for what is made for an SVD alone, such as its training.

    Raises:
        InputError: they are another model's.
    """
    if not isinstance(networks, SVDNetworks):
        raise InputError("this is made for Stable Video Diffusion: give the weights of one")
    return networks


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
