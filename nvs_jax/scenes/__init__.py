"""Procedural scenes with ground truth: pictures, exact depth, poses and intrinsics, from a seed and without assets."""

from nvs_jax.scenes.depth_errors import blur_edges, scale_and_shift
from nvs_jax.scenes.generate import default_view, random_scene
from nvs_jax.scenes.raycaster import View, render, render_path
from nvs_jax.scenes.scene import Scene
from nvs_jax.scenes.settings import SceneSettings

__all__ = [
    "Scene",
    "SceneSettings",
    "View",
    "blur_edges",
    "default_view",
    "random_scene",
    "render",
    "render_path",
    "scale_and_shift",
]
