"""From a configuration to the network it describes, without values."""

from flax import nnx

from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.clip.image_encoder import ImageEncoder
from nvs_jax.models.svd.config import UNetConfig, VAEConfig
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.svd.vae.network import VAE


def build(config: UNetConfig | VAEConfig | ImageEncoderConfig) -> nnx.Module:
    """The module, without values, that a configuration describes."""
    if isinstance(config, UNetConfig):
        return UNetSpatioTemporal(config)
    return VAE(config) if isinstance(config, VAEConfig) else ImageEncoder(config)
