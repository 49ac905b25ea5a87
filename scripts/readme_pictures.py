"""Makes the pictures of the README and the docs from procedural scenes: `python scripts/readme_pictures.py`."""

from pathlib import Path

import numpy as np
import tyro

from nvs_jax.geometry import forward_warp, orbit
from nvs_jax.media import write_picture
from nvs_jax.results import sheet
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings import WarpSettings

HEIGHT, WIDTH = 192, 256


def warps(seed: int = 3, frames: int = 9, step_degrees: float = 2.5) -> np.ndarray:
    """One scene: the first view warped along an orbit, above the truth."""
    settings = SceneSettings()
    path = orbit(settings.orbit_radius, settings.orbit_radius, step_degrees, frames)
    _, intrinsics = default_view(HEIGHT, WIDTH, settings)
    truth = render_path(random_scene(seed, settings), path, intrinsics, HEIGHT, WIDTH, samples=2)
    warp = forward_warp(truth.picture[0], truth.depth[0], intrinsics, path[0], path[1:], WarpSettings())
    views = np.concatenate([np.asarray(truth.picture[:1]), np.asarray(warp.condition)])
    return sheet({"warp": views, "truth": np.asarray(truth.picture)}, columns=4)


def main(folder: Path = Path("docs/images")) -> None:
    """Write every picture into `folder`."""
    write_picture(folder / "warps.png", warps())


if __name__ == "__main__":
    tyro.cli(main)
