"""A whole run of the release at 576x1024, from the same photo, depth and noise."""

import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax
from nvs_jax.diffusion import init, run_steps
from nvs_jax.inputs.camera_path import camera_path
from nvs_jax.inputs.view import DepthFile, read_view
from nvs_jax.settings.presets import load_settings
from nvs_jax.steering import Noise
from nvs_jax.steering.conditions import from_photo

pytestmark = pytest.mark.full


def error(ours, theirs):
    """Largest difference over largest value, and the share of elements beyond 1e-2 of it."""
    difference = np.abs(np.asarray(ours, np.float64) - theirs) / np.abs(theirs).max()
    return float(difference.max()), float((difference > 1e-2).mean())


def channels_last(x):
    return np.moveaxis(x, -3, -1)


@pytest.fixture(scope="module")
def prepared(parity):
    """Everything up to the first step, and the stored run's inputs."""
    stored = dict(np.load(parity / "end_to_end" / "inputs.npz"))
    folder = parity.parent / "data" / "video"
    settings = load_settings("reference")
    depth = DepthFile(folder / "disparity" / "frame_000000.npy", "disparity")
    pipeline = nvs_jax.load(parity / "svd-tiny")
    view = read_view(folder / "images" / "frame_000000.png", depth, settings, pipeline.model.lattice.pixels)
    path = camera_path(settings.path, pipeline.model.lattice.frames)
    conditions = from_photo(view.picture, view.depth, jnp.asarray(view.intrinsics), path, settings)
    return pipeline, conditions, stored


def noise_of(stored):
    latents = channels_last(stored["init_noise"])
    return Noise(
        jnp.asarray(channels_last(stored["noise_aug"]).reshape(576, 1024, 3)),
        jnp.asarray(latents.reshape(latents.shape[-4:])),
    )


@pytest.mark.parametrize("method", ["dgs", "post"])
def test_equals_the_release(method, prepared, parity, capsys):
    pipeline, conditions, stored = prepared
    theirs = dict(np.load(parity / "end_to_end" / f"{method}.npz"))
    settings = nvs_jax.pipeline.override(load_settings("reference"), method=method, steps=4)
    problem = pipeline.prepare(conditions, noise_of(stored), settings)
    figures = {
        "image embedding": error(problem.denoiser.embedding[0], stored["image_embedding"].reshape(-1)),
        "image latent": error(problem.denoiser.image_latent[0], channels_last(stored["image_latent"].squeeze())),
    }
    rule = problem.guidance.modulate if method == "dgs" else problem.guidance.guidance.modulate
    warped = channels_last(stored["warped_latents"]).reshape(24, 72, 128, 4)
    figures["warped latents"] = error(rule.target[0, 1:] * 5.6, warped)
    masks = stored["masks"].reshape(24, 72, 128) > 0.5
    figures["holes"] = (float((np.asarray(rule.hole[0, 1:]) != masks).max()), float((rule.hole[0, 1:] != masks).mean()))
    table = np.stack([problem.trust(sigma) for sigma in problem.sigmas[:-1]])
    figures["weights"] = error(table, stored["weights"].reshape(4, 25))
    carry = init(problem.noise * jnp.sqrt(problem.sigmas[0] ** 2 + 1))
    latents = {}
    for index in range(4):
        sigmas = problem.sigmas[index : index + 2]
        carry = run_steps(carry, sigmas, problem.denoiser, problem.guidance, problem.trust)
        latents[index] = np.asarray(carry.x[0])
    names = sorted(name for name in theirs if "latent" in name)
    for name, index in zip(names, (0, 3), strict=True):
        figures[name] = error(latents[index], channels_last(theirs[name]).reshape(25, 72, 128, 4))
    frames = np.asarray(pipeline.decode(carry.x[0], settings))
    for name, frame in theirs.items():
        if "frame" in name:
            frame = frame if frame.shape[-1] == 3 else channels_last(frame)
            indices = (0, 12, 24) if frame.ndim == 4 else (int(name.split("_")[-1]),)
            for index, one in zip(indices, frame.reshape(-1, 576, 1024, 3), strict=True):
                figures[f"{name} {index}"] = error(np.round(frames[index] * 255), one.astype(np.float64))
    with capsys.disabled():
        print(f"\n{method}: largest error over largest value, share of elements above 1e-2 of it")
        for name, (largest, share) in figures.items():
            print(f"  {name:20s} {largest:.2e}  {share:.2e}")
    for name, (_, share) in figures.items():
        assert share < 1e-2, name
