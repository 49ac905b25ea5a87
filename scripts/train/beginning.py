"""What a training begins with: random weights, or those of a folder or of the package."""

from dataclasses import dataclass, replace

from convert import load_networks
from nvs_jax.errors import InputError
from nvs_jax.models.svd.networks import SVDNetworks, as_svd
from nvs_jax.models.svd.vae.network import VAE
from nvs_jax.models.weights import Weights, random_weights
from scripts.train.denoiser import first_weights, joined_weights
from scripts.train.settings import TrainSettings
from scripts.train.widening import widened


@dataclass(frozen=True)
class Beginning:
    """What the training begins with.

    Attributes:
        vae: its weights.
        scale: what latents are multiplied by; None: the VAE is to be trained, and then that is found.
        denoiser: weights of the other two networks.
        settings: with the configurations of these networks.
    """

    vae: Weights
    scale: float | None
    denoiser: Weights
    settings: TrainSettings


def beginning(initial: str | None, settings: TrainSettings, train_vae: bool = False) -> Beginning:
    """Random weights, or others whose VAE is kept or trained on.

    Args:
        initial: a folder, or demo; None for random weights.
        settings: of everything.
        train_vae: train the VAE of `initial` on, with as many latent channels as the settings say if it has fewer.

    Raises:
        InputError: there are no such weights, or their latents would lose channels.
    """
    if initial is None:
        vae = random_weights(VAE(settings.codec.config), settings.codec.optimizer.seed)
        return Beginning(vae, None, first_weights(settings.denoiser), settings)
    networks = as_svd(load_networks(initial, "float32"))
    both = joined_weights(networks.unet, networks.image_encoder)
    vae, scale = dict(networks.vae), networks.vae_config.scaling_factor
    before, wanted = networks.vae_config.latent_channels, settings.codec.config.latent_channels
    settings = _as_in(networks, settings)
    if not train_vae:
        return Beginning(vae, scale, both, settings)
    if wanted < before:
        raise InputError(
            f"{initial} has {before} latent channels, more than the {wanted} of "
            "--settings.codec.config.latent-channels: a model gets more of them, not fewer"
        )
    if wanted > before:
        settings = _with_latent_channels(settings, wanted)
        vae = widened(vae, random_weights(VAE(settings.codec.config), settings.codec.optimizer.seed), before, wanted)
        both = widened(both, first_weights(settings.denoiser), before, wanted)
    return Beginning(vae, None, both, settings)


def _as_in(networks: SVDNetworks, settings: TrainSettings) -> TrainSettings:
    """The settings with the configurations of these networks."""
    codec = replace(settings.codec, config=networks.vae_config)
    own = replace(settings.denoiser, unet=networks.unet_config, image_encoder=networks.image_encoder_config)
    return replace(settings, codec=codec, denoiser=own)


def _with_latent_channels(settings: TrainSettings, channels: int) -> TrainSettings:
    codec = replace(settings.codec, config=replace(settings.codec.config, latent_channels=channels))
    unet = replace(settings.denoiser.unet, in_channels=2 * channels, out_channels=channels)
    return replace(settings, codec=codec, denoiser=replace(settings.denoiser, unet=unet))
