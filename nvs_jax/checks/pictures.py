"""What weights are checked on: a clip whose camera hardly moves, and pictures that have nothing in common."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.geometry import orbit
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render

STEP_DEGREES = 0.25
"""How far the camera goes round the scene's middle from frame to frame: a calm video, as the models know many."""
_SAMPLES = 3


def clip(frames: int, height: int, width: int, seed: int = 0) -> Float[Array, "f H W 3"]:
    """A procedural scene seen from a camera on a slow orbit; in [0, 1]."""
    settings = SceneSettings()
    path = orbit(settings.orbit_radius, settings.orbit_radius, STEP_DEGREES, frames)
    return jnp.stack([_scene(pose, height, width, seed) for pose in path])


def unrelated_pictures(height: int, width: int, seed: int = 0) -> list[Float[Array, "H W 3"]]:
    """Two scenes, a chessboard and a sunset of two colours; in [0, 1]."""
    pose, _ = default_view(height, width)
    scenes = [_scene(pose, height, width, seed + offset) for offset in (0, 3)]  # of seed 0: a room, an open place
    return [*scenes, _chessboard(height, width), _sunset(height, width)]


def _scene(pose: Float[Array, "4 4"], height: int, width: int, seed: int) -> Float[Array, "H W 3"]:
    """One program for all pictures, since the seed decides nothing but numbers.

    Rendered at half the size: at full sharpness the scenes' textures are finer than any photo's, and a sound VAE, which
    keeps 4 numbers of 192, could not pass.
    """
    half = (height + 1) // 2, (width + 1) // 2
    _, intrinsics = default_view(*half)
    picture = render(random_scene(seed), pose, intrinsics, *half, samples=_SAMPLES).picture
    return jnp.clip(jax.image.resize(picture, (height, width, 3), "cubic"), 0.0, 1.0)


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
