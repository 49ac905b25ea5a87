"""What weights are checked on: a clip whose camera hardly moves, and pictures that have nothing in common."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.geometry import orbit
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render, render_path

STEP_DEGREES = 0.25
"""How far the camera goes round the scene's middle from frame to frame: a calm video, as the models know many."""
_INDOOR, _OUTDOOR = SceneSettings(outdoor=0.0), SceneSettings(outdoor=1.0)
_SAMPLES = 3


def clip(frames: int, height: int, width: int, seed: int = 0) -> Float[Array, "f H W 3"]:
    """A procedural room seen from a camera on a slow orbit; in [0, 1]."""
    _, intrinsics = default_view(height, width, _INDOOR)
    path = orbit(_INDOOR.orbit_radius, _INDOOR.orbit_radius, STEP_DEGREES, frames)
    return render_path(random_scene(seed, _INDOOR), path, intrinsics, height, width, samples=_SAMPLES).picture


def unrelated_pictures(height: int, width: int, seed: int = 0) -> list[Float[Array, "H W 3"]]:
    """A room, an open place, a chessboard and a sunset of two colours; in [0, 1]."""
    pose, intrinsics = default_view(height, width)
    scenes = (random_scene(seed, _INDOOR), random_scene(seed + 1, _OUTDOOR))
    pictures = [render(scene, pose, intrinsics, height, width, samples=_SAMPLES).picture for scene in scenes]
    return [*pictures, _chessboard(height, width), _sunset(height, width)]


def _chessboard(height: int, width: int) -> Float[Array, "H W 3"]:
    rows, columns = np.mgrid[:height, :width] * 8 // height
    light = ((rows + columns) % 2)[..., None].astype(np.float32)
    return jnp.asarray(0.05 + 0.9 * light * np.ones(3, np.float32))


def _sunset(height: int, width: int) -> Float[Array, "H W 3"]:
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = (1 - down) * np.array([0.25, 0.1, 0.45], np.float32) + down * np.array([1.0, 0.55, 0.15], np.float32)
    y, x = np.mgrid[:height, :width]
    sun = np.hypot(y - 0.6 * height, x - 0.5 * width)[..., None] < 0.15 * height
    return jnp.asarray(np.where(sun, np.array([1.0, 0.9, 0.4], np.float32), np.broadcast_to(sky, (height, width, 3))))
