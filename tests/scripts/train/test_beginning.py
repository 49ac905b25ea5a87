from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from convert import load_networks
from nvs_jax.errors import InputError
from nvs_jax.models.svd.networks import as_svd
from scripts.train.__main__ import main
from scripts.train.beginning import beginning
from scripts.train.denoiser import split_weights
from scripts.train.settings import TrainSettings


@pytest.fixture(scope="module")
def package():
    return as_svd(load_networks("demo", "float32"))


def with_channels(channels: int) -> TrainSettings:
    settings = TrainSettings()
    config = replace(settings.codec.config, latent_channels=channels)
    return replace(settings, codec=replace(settings.codec, config=config))


def test_the_vae_is_kept_unless_it_is_to_be_trained(package):
    kept = beginning("demo", with_channels(package.vae_config.latent_channels + 4))
    assert kept.scale == package.vae_config.scaling_factor
    assert kept.settings.codec.config == package.vae_config and kept.settings.denoiser.unet == package.unet_config
    for name, value in package.vae.items():
        np.testing.assert_array_equal(kept.vae[name], value)


def test_a_vae_that_is_trained_gets_the_channels_of_the_settings_and_the_unet_with_it(package):
    wanted = package.vae_config.latent_channels + 4
    wider = beginning("demo", with_channels(wanted), train_vae=True)
    assert wider.scale is None
    assert wider.settings.codec.config.latent_channels == wanted
    assert (wider.settings.denoiser.unet.in_channels, wider.settings.denoiser.unet.out_channels) == (2 * wanted, wanted)
    assert wider.vae["decoder.conv_in.weight"].shape[-2] == wanted
    unet, _ = split_weights(wider.denoiser)
    assert unet["conv_in.weight"].shape[-2] == 2 * wanted and unet["conv_out.weight"].shape[-1] == wanted


def test_as_many_channels_are_no_change(package):
    same = beginning("demo", with_channels(package.vae_config.latent_channels), train_vae=True)
    assert same.scale is None
    for name, value in package.vae.items():
        np.testing.assert_array_equal(same.vae[name], value)


def test_fewer_channels_are_refused(package):
    with pytest.raises(InputError, match=r"latent channels, more than the 2 of --settings\.codec"):
        beginning("demo", with_channels(2), train_vae=True)


def test_without_weights_there_is_no_vae_to_train_on(tmp_path):
    with pytest.raises(InputError, match="--train-vae trains the VAE of --initial on"):
        main(tmp_path / "work", tmp_path / "exported", train_vae=True)
    assert not (tmp_path / "work").exists()


def test_random_weights_are_trained_altogether():
    first = beginning(None, TrainSettings())
    assert first.scale is None and first.settings == TrainSettings()
    assert jnp.isfinite(first.vae["encoder.conv_in.weight"]).all()
