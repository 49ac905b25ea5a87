"""Makes docs/images/modes.png from a procedural scene: `python scripts/readme_pictures.py`."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import tyro
from jax import Array

from nvs_jax.geometry import Sources, orbit
from nvs_jax.inputs.view import View
from nvs_jax.media import placement_of, write_picture
from nvs_jax.runs.results import sheet
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings import RenderSettings
from nvs_jax.steering.legs import Plan, photo_plan, turn_plan, video_plan, views_plan

HEIGHT, WIDTH = 192, 256


def modes(seed: int = 5) -> np.ndarray:
    """What steers the model in each mode, on one scene: a photo, a video, three views, and once round."""
    scenes, settings = SceneSettings(), RenderSettings()
    radius = (scenes.orbit_radius, scenes.orbit_radius)
    scene, (_, K) = random_scene(seed, scenes), default_view(HEIGHT, WIDTH, scenes)
    path = orbit(*radius, 2.0, 13)

    def shoot(poses: Array, time: Array | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        shots = render_path(scene, poses, K, HEIGHT, WIDTH, samples=2, time=time)
        return np.asarray(shots.picture), np.asarray(shots.depth)

    photos, depths = shoot(jnp.repeat(path[:1], 13, axis=0), jnp.linspace(0, 1, 13))
    fit = placement_of((HEIGHT, WIDTH), HEIGHT, WIDTH, "resize")
    view = View(photos[0], depths[0], np.asarray(K), fit, (HEIGHT, WIDTH))
    posed = path[jnp.array([0, 6, 12])]
    pictures, maps = map(jnp.asarray, shoot(posed))
    sources = Sources(pictures, maps, jnp.stack([K] * 3), posed)
    plans = {
        "single": photo_plan(view, path, settings),
        "video": video_plan(photos, depths, K, path, 13, settings),
        "views": views_plan(sources, 7, settings),
        "full turn": turn_plan(view, radius, 13, settings),
    }
    return sheet({name: known(plan) for name, plan in plans.items()}, columns=5, width=WIDTH)


def known(plan: Plan) -> np.ndarray:
    """The warps of all legs in the order of the video; a leg begins with the warp at the end of an earlier one."""
    legs: list[np.ndarray] = []
    for leg in plan.legs:
        conditions = leg(legs)
        legs.append(np.concatenate([np.asarray(conditions.picture)[None], np.asarray(conditions.warp.condition)]))
    return np.stack([legs[leg][frame] for leg, frame in plan.order])


def main(folder: Path = Path("docs/images")) -> None:
    """Write the picture into `folder`."""
    write_picture(folder / "modes.png", modes())


if __name__ == "__main__":
    tyro.cli(main)
