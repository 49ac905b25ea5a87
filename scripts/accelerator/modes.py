"""Whether the device makes the videos that a CPU makes: the whole method in every mode, with the embedded model."""

import time
from collections.abc import Callable, Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.embedded import EMBEDDED_NAME
from nvs_jax.geometry import Sources, orbit
from nvs_jax.inputs.view import given_view
from nvs_jax.pipeline import load, override
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.evaluation import BenchmarkSettings
from nvs_jax.settings.presets import settings_for
from nvs_jax.steering import photo_plan, turn_plan, video_plan, views_plan
from nvs_jax.steering.legs import Plan
from scripts.accelerator.renders import psnr
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import Size

SEED, STEP_DEGREES, STEPS = 0, 2.0, 5
LEAST = {"float32": 60.0, "default": 60.0}
"""dB that frames have to agree to, by precision of products: default is a GPU's TF32."""
LEAST_OF_NARROW = 30.0
"""The same where default is bfloat16, as on a TPU, which none of them has been asked."""
Plans = Mapping[str, Callable[[RenderSettings], Plan]]
"""By mode: settings to a plan."""


def modes(size: Size) -> Iterator[Row]:
    """A video of every mode, rendered by the device and by a CPU, in 5 steps."""
    settings = override(settings_for(EMBEDDED_NAME), steps=STEPS)
    frames = min(size.frames, BenchmarkSettings().frames)
    with jax.default_device(jax.devices("cpu")[0]):
        known, there = _plans(frames), load(EMBEDDED_NAME, dtype="float32")
        plans = {what: known[what] for what in size.modes}
        wanted = {what: there.render_plan(make(settings), SEED).frames for what, make in plans.items()}
    here = load(EMBEDDED_NAME, dtype="float32")
    for precision, least in LEAST.items():
        narrow = precision == "default" and jax.default_backend() == "tpu"
        least = LEAST_OF_NARROW if narrow else least
        for what, make in plans.items():
            begun = time.perf_counter()
            with jax.default_matmul_precision("highest" if precision == "float32" else "default"):
                got = here.render_plan(make(settings), SEED).frames
            seconds = time.perf_counter() - begun
            found = psnr(got, wanted[what])
            good = found >= least
            figures = {"PSNR, dB": found, "at least": least, "s": seconds, "frames": float(len(got))}
            yield Row(f"{what}, {precision}", figures, "" if good else "less than it should be", not good)


def _plans(frames: int) -> Plans:
    """Of a procedural scene; sources are true."""
    scenes, sizes = SceneSettings(), BenchmarkSettings()
    height, width = sizes.size
    path = orbit(scenes.orbit_radius, scenes.orbit_radius, STEP_DEGREES, frames)
    _, intrinsics = default_view(height, width, scenes)
    truth = jax.tree.map(np.asarray, render_path(random_scene(SEED, scenes), path, intrinsics, height, width))
    view = given_view(truth.picture[0], truth.depth[0], intrinsics)
    ends = jnp.array([0, frames - 1])
    sources = Sources(truth.picture[ends], truth.depth[ends], jnp.stack([view.intrinsics] * 2), path[ends])
    radii = scenes.orbit_radius, scenes.orbit_radius
    return {
        "a photo, DGS": lambda settings: photo_plan(view, path, settings),
        "a photo, Post": lambda settings: photo_plan(view, path, override(settings, "post")),
        "a video": lambda settings: video_plan(
            truth.picture, truth.depth, view.intrinsics, path, max(3, frames // 2), settings
        ),
        "two views": lambda settings: views_plan(sources, frames, settings),
        "once round": lambda settings: turn_plan(view, radii, frames, settings),
    }
