"""A procedural scene as files, for whoever has no photo at hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from nvs_jax.disk import atomic_path
from nvs_jax.media import write_picture
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings.evaluation import BenchmarkSettings
from nvs_jax.settings.jobs import SingleJob
from nvs_jax.settings.presets import settings_for

SEED = 4
SIZE = BenchmarkSettings().size
_PHOTO, _DEPTH = "photo.png", "depth.npy"


def example_job(
    folder: Path, size: tuple[int, int] = BenchmarkSettings().size, weights: str | None = None
) -> SingleJob:
    """A job on a procedural scene, whose photo and exact depth are written into a folder.

    Args:
        folder: for photo.png and depth.npy; made if it is not there.
        size: rows and columns of pixels; by default those that the small model in the package was trained on.
        weights: of the job.
    """
    scenes = SceneSettings()
    pose, intrinsics = default_view(*size, scenes)
    seen = render_path(random_scene(SEED, scenes), pose[None], intrinsics, *size, samples=2)
    folder.mkdir(parents=True, exist_ok=True)
    write_picture(folder / _PHOTO, np.asarray(seen.picture[0]))
    with atomic_path(folder / _DEPTH) as temporary, temporary.open("wb") as file:
        np.save(file, np.asarray(seen.depth[0]))
    settings = settings_for(weights)
    radius = scenes.orbit_radius
    path = replace(settings.path, radius=(radius, radius), step_degrees=2.0)
    camera = replace(settings.camera, fov=scenes.field_of_view)
    return SingleJob(
        photo=folder / _PHOTO,
        depth=folder / _DEPTH,
        depth_kind="depth",
        out=folder / "result",
        weights=weights,
        settings=replace(settings, path=path, camera=camera),
    )
