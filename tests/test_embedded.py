import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax
from nvs_jax.embedded import EMBEDDED_MODEL
from nvs_jax.evaluation.problems import true_views
from nvs_jax.evaluation.settings import BenchmarkSettings
from nvs_jax.settings import ConditioningSettings


@pytest.fixture(scope="module")
def pipeline():
    return nvs_jax.load("demo", dtype="float32")


def test_it_is_small_and_has_a_card():
    size = sum(file.stat().st_size for file in EMBEDDED_MODEL.rglob("*") if file.is_file())
    assert size < 16e6
    card = (EMBEDDED_MODEL.parent / "README.md").read_text(encoding="utf-8")
    assert "Trained on" in card and "licence" in card.lower()


def test_it_takes_the_benchmarks_pictures(pipeline):
    settings = BenchmarkSettings()
    assert pipeline.model.frames == settings.frames
    assert not any(side % pipeline.model.multiple for side in settings.size)


def test_its_vae_gives_a_scene_back(pipeline):
    """Random weights give about 10 dB."""
    pictures = true_views(0, 0.0, BenchmarkSettings(frames=2, samples=1)).pictures
    codec = pipeline.model.codec(ConditioningSettings())
    error = np.square(codec.decode(codec.encode(pictures)[None])[0] - pictures).mean()
    assert -10 * np.log10(error) > 25


def test_its_unet_finds_a_scene_behind_noise(pipeline):
    """It takes away part of noise that is faint already, 0.04 of x0's variance; random weights add to it."""
    pictures = true_views(0, 0.0, BenchmarkSettings(samples=1)).pictures
    model, settings = pipeline.model, ConditioningSettings(guidance_scale=(1.0, 1.0))
    codec = model.codec(settings)
    x0 = codec.encode(pictures)[None]
    given = model.given_latent(codec, pictures[0], jnp.zeros_like(pictures[0]), settings)
    denoiser = model.denoiser(given, model.embed(pictures[0]), len(pictures), settings)
    noise = np.random.default_rng(0).standard_normal(x0.shape, np.float32)
    error = float(jnp.square(denoiser(x0 + 0.2 * noise, jnp.float32(0.2)) - x0).mean())
    assert error < 0.8 * 0.2**2
