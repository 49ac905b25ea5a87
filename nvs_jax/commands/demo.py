"""A whole run on an embedded example: a procedural scene and the small model in the package, nothing to download."""

from pathlib import Path

import jax
import numpy as np

from nvs_jax.commands.progress import Progress
from nvs_jax.commands.render import record
from nvs_jax.diffusion.assemble import count_steps
from nvs_jax.embedded import EMBEDDED_NAME
from nvs_jax.geometry import orbit
from nvs_jax.inputs.view import given_view
from nvs_jax.media import write_picture, write_video
from nvs_jax.models.attention import used_backends
from nvs_jax.pipeline import load
from nvs_jax.runs.results import result_folder, sheet, write_result
from nvs_jax.saying import tell
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings.evaluation import BenchmarkSettings
from nvs_jax.settings.jobs import DemoJob
from nvs_jax.settings.presets import settings_for
from nvs_jax.steering.legs import photo_plan

STEP_DEGREES = 2.0
ENLARGED = 3
"""Pixels of the demo's picture and video for one of the model's."""
FPS = 4.0


def run_demo(job: DemoJob) -> None:
    """Render a procedural scene from one of its views, beside the truth.

    Beside what every render leaves, the folder has demo.png and demo.mp4: the given view, its warps, the result, and
    what a camera would really have seen.

    Raises:
        InputError: the folder holds something already.
    """
    with result_folder(job.out, overwrite=job.overwrite) as folder:
        _render(job, folder)
    tell(f"{job.out}/demo.png")


def _render(job: DemoJob, folder: Path) -> None:
    scenes, sizes, settings = SceneSettings(), BenchmarkSettings(), settings_for(EMBEDDED_NAME)
    height, width = sizes.size
    path = orbit(scenes.orbit_radius, scenes.orbit_radius, STEP_DEGREES, sizes.frames)
    _, intrinsics = default_view(height, width, scenes)
    scene = random_scene(job.seed, scenes)
    truth = jax.tree.map(np.asarray, render_path(scene, path, intrinsics, height, width, samples=3))
    view = given_view(truth.picture[0], truth.depth[0], intrinsics)
    plan = photo_plan(view, path, settings)
    with Progress(len(plan.legs), count_steps(settings)) as progress:
        result = load(EMBEDDED_NAME, dtype="float32").render_plan(plan, job.seed, report=progress)
    write_result(folder, result, plan, view)
    record(folder, job, settings, view, seconds=progress.seconds, attention=used_backends())
    rows = {"warp": result.warped, "result": result.frames, "truth": truth.picture}
    large = {name: frames.repeat(ENLARGED, 1).repeat(ENLARGED, 2) for name, frames in rows.items()}
    write_picture(folder / "demo.png", sheet(large, columns=5, width=ENLARGED * width))
    write_video(folder / "demo.mp4", np.concatenate(list(large.values()), axis=2), FPS)
