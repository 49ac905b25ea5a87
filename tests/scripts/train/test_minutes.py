"""The whole training by a clock that only the tests move, on the CPU."""

import itertools
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax
from convert import load_networks
from nvs_jax.models.svd.networks import as_svd
from scripts.train.losses import LossLog
from scripts.train.minutes import train_for_minutes
from scripts.train.settings import MinutesSettings
from tests.scripts.train.test_main import TOY

BY_MINUTES = replace(
    TOY,
    by_minutes=MinutesSettings(
        dtype="bfloat16", codec_batch=2, denoiser_batch=2, steps=3, kept=6, first=2, fresh=1, together=2
    ),
)


def ticking():
    return lambda ticks=itertools.count(): next(ticks)  # noqa: B008


def test_without_time_it_exports_what_it_began_with(tmp_path, capsys):
    clock = ticking()
    assert train_for_minutes(tmp_path / "work", tmp_path / "exported", 1 / 60, "demo", BY_MINUTES, clock)
    assert "the UNet made no step" in capsys.readouterr().out
    before, after = as_svd(load_networks("demo", "float32")), as_svd(load_networks(tmp_path / "exported", "float32"))
    assert after.vae_config == before.vae_config and after.unet_config == before.unet_config
    for part in ("unet", "vae", "image_encoder"):
        for name, value in before.weights(part).items():
            np.testing.assert_array_equal(after.weights(part)[name], value)


def held_out(folder: Path) -> np.ndarray:
    rows = LossLog(folder / "losses.csv").read()
    assert np.isfinite(rows[:, [0, 2]]).all() and np.nanmax(rows[:, 2]) <= 60
    return rows[np.isfinite(rows[:, 3]), 3]


@pytest.mark.full
def test_it_ends_in_time_with_a_folder_that_loads_and_goes_on_with_more(tmp_path):
    work, exported = tmp_path / "work", tmp_path / "exported"
    assert train_for_minutes(work, exported, 1, None, BY_MINUTES, ticking())
    codec, denoiser = held_out(work / "codec"), held_out(work / "denoiser")
    assert codec[-1] < codec[0] and denoiser[-1] < denoiser[0]
    first = as_svd(nvs_jax.load(exported, dtype="float32").model.networks)
    latest = as_svd(load_networks(work / "latest", "float32"))
    for name, value in first.unet.items():
        assert value.dtype == jnp.float32
        np.testing.assert_array_equal(latest.unet[name], value)
    # Half of it again: the UNet goes on where it was, the VAE stays as it is.
    made = LossLog(work / "denoiser" / "losses.csv").read()[:, 0].max()
    assert train_for_minutes(work, exported, 1.5, None, BY_MINUTES, ticking())
    assert LossLog(work / "denoiser" / "losses.csv").read()[:, 0].max() > made
    second = as_svd(load_networks(exported, "float32"))
    assert second.vae_config == first.vae_config
    for name, value in first.vae.items():
        np.testing.assert_array_equal(second.vae[name], value)
    assert any(np.any(value != second.unet[name]) for name, value in first.unet.items())
