import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax
from nvs_jax.cli import main
from nvs_jax.embedded import EMBEDDED_MODEL
from nvs_jax.evaluation.problems import true_views
from nvs_jax.geometry import nothing_known
from nvs_jax.media import read_frames, write_picture
from nvs_jax.settings import ConditioningSettings, RenderSettings
from nvs_jax.settings.evaluation import BenchmarkSettings
from nvs_jax.settings.presets import settings_for
from tests.tiny import scene

# A quarter of the pictures it was trained on, which takes a quarter of the memory.
SMALLER = BenchmarkSettings(size=(48, 64), samples=1)


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
    assert pipeline.model.lattice.frames == settings.frames
    assert not any(side % pipeline.model.lattice.pixels for side in settings.size)


def test_a_photo_of_any_size_becomes_one_of_its_own(tmp_path, capsys, monkeypatch):
    # The documentation's tour runs its UNet.
    monkeypatch.setattr("nvs_jax.diffusion.problem.run_steps", lambda carry, *_: carry)
    photo, depth = scene()
    large = photo.repeat(24, 0).repeat(24, 1)  # 576x768
    write_picture(tmp_path / "photo.png", large)
    np.save(tmp_path / "depth.npy", depth)
    files = ("single", str(tmp_path / "photo.png"), "--depth", str(tmp_path / "depth.npy"), "--depth-kind", "disparity")
    main([*files, "--weights", "demo", "--steps", "1", "--out", str(tmp_path / "out")])
    assert "the weights' own" in capsys.readouterr().err
    assert read_frames(tmp_path / "out" / "frames").shape == (8, 96, 128, 3)
    record = json.loads((tmp_path / "out" / "run.json").read_text())["job"]["settings"]
    assert (record["trust"]["v2"], record["guidance"]["hole_strength"]) == (350_000.0, 0.5)


def test_its_settings_are_those_of_the_pipeline(pipeline):
    assert pipeline.settings == settings_for("demo")
    assert pipeline.settings.conditioning.guidance_scale == (1.0, 1.0)


def test_its_vae_gives_a_scene_back(pipeline):
    """Random weights give about 10 dB."""
    pictures = true_views(0, 0.0, BenchmarkSettings(frames=2, samples=1)).pictures
    codec = pipeline.model.codec()
    back = jax.jit(lambda codec, pictures: codec.decode(codec.encode(pictures)[None])[0])
    error = np.square(back(codec, pictures) - pictures).mean()
    assert -10 * np.log10(error) > 30


@pytest.mark.full
def test_its_unet_finds_a_scene_behind_noise(pipeline):
    """It takes away part of noise that is faint already, 0.04 of x0's variance; random weights add to it."""
    pictures = true_views(0, 0.0, SMALLER).pictures
    unguided = RenderSettings(conditioning=ConditioningSettings(guidance_scale=(1.0, 1.0)))
    model = pipeline.model.told(unguided)
    codec = model.codec()
    x0 = jax.jit(lambda codec, pictures: codec.encode(pictures)[None])(codec, pictures)
    seen = model.look(pictures[0], jnp.zeros_like(pictures[:1]), nothing_known(len(pictures) - 1, *pictures.shape[1:3]))
    denoiser = model.denoiser(seen, len(pictures))
    noise = np.random.default_rng(0).standard_normal(x0.shape, np.float32)
    estimate = jax.jit(lambda denoiser, x, sigma: denoiser(x, sigma))
    error = float(jnp.square(estimate(denoiser, x0 + 0.2 * noise, jnp.float32(0.2)) - x0).mean())
    assert error < 0.8 * 0.2**2
