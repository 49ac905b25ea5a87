"""`nvs-jax check` on whole weights: random ones are not sound, and it says so."""

import dataclasses

import jax.numpy as jnp
import pytest

from nvs_jax.cli import main
from nvs_jax.commands.check import _check_picture_encoder, check_networks, in_dtype
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.svd.family import FAMILY
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import SVDNetworks, as_svd
from tests.tiny import tiny_networks, write_tiny_folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(write_tiny_folder(tmp_path_factory.mktemp("svd")))


@pytest.mark.full
def test_random_weights_fail_loudly(weights, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["check", weights, "--size", "24", "32", "--frames", "3"])
    assert stop.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert "3 frames of 24x32, float32" in lines[0]
    assert "not CLIP ViT-H" in lines[1]
    assert all(line.startswith(("ok ", "FAIL ")) for line in lines[2:-1])
    failed = [line for line in lines if line.startswith("FAIL")]
    for part in ("VAE: round trip", "denoiser, float32: error of x0", "denoiser, bfloat16: error of x0"):
        assert any(part in line for line in failed), part
    assert f"NOT SOUND, {len(failed)} of {len(lines) - 3} checks failed" in lines[-1]


@pytest.mark.full
def test_the_model_in_the_package_is_sound(capsys):
    main(["check", "demo", "--size", "96", "128", "--frames", "8"])
    lines = capsys.readouterr().out.splitlines()
    assert "demo: sound, all" in lines[-1]
    assert any("image encoder, bfloat16: embeddings" in line for line in lines)


def test_only_clip_is_asked_for_what_it_was_trained_for(networks, monkeypatch):
    pictures = [jnp.full((24, 32, 3), 0.3), jnp.full((24, 32, 3), 0.7)]
    model = SVD(networks)
    assert [outcome.name for outcome in _check_picture_encoder(model, pictures, "float32")] == [
        "image encoder, float32: embeddings: values that are NaN or infinite"
    ]
    as_clip = dataclasses.replace(ImageEncoderConfig(), projection_dim=networks.image_encoder_config.projection_dim)
    monkeypatch.setattr("nvs_jax.models.svd.model.ImageEncoderConfig", lambda: as_clip)
    assert any("cosine" in outcome.name for outcome in _check_picture_encoder(model, pictures, "float32"))


@pytest.fixture
def networks():
    held = tiny_networks()
    assert isinstance(held, SVDNetworks)
    return held


def test_weights_that_are_no_numbers_are_named(networks):
    bad = networks.unet | {"conv_in.bias": networks.unet["conv_in.bias"].at[3].set(jnp.nan)}
    outcomes = check_networks(FAMILY, dataclasses.replace(networks, unet=bad), 2, 24, 32)
    found = {outcome.name: outcome for outcome, _ in zip(outcomes, range(3), strict=False)}
    assert not found["unet: weights: values that are NaN or infinite"].ok
    assert found["vae: weights: values that are NaN or infinite"].ok


def test_the_vae_keeps_its_dtype(networks):
    half = as_svd(in_dtype(FAMILY, networks, "bfloat16"))
    assert half.unet["conv_in.weight"].dtype == half.image_encoder["visual_projection.weight"].dtype == "bfloat16"
    assert half.vae["encoder.conv_in.weight"].dtype == "float32"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--size", "26", "32"), "multiples of 4"),
        (("--size", "0", "32"), "between 1 and 4096"),
        (("--frames", "1"), "between 2 and 1000"),
    ],
)
def test_a_mistake_is_one_clear_line(options, message, weights, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["check", weights, *options])
    assert stop.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert message in said[0]
