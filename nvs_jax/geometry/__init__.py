"""Cameras, camera paths and the forward warp: jnp throughout, differentiable, jitted. Nothing here knows a network."""

from nvs_jax.geometry.cameras import intrinsics_matrix, look_at, release_intrinsics, scale_intrinsics
from nvs_jax.geometry.depth import disparity_to_depth
from nvs_jax.geometry.masks import dilate
from nvs_jax.geometry.trajectories import between, line, orbit
from nvs_jax.geometry.warp import Warp, forward_warp, warp_flow, warp_one

__all__ = [
    "Warp",
    "between",
    "dilate",
    "disparity_to_depth",
    "forward_warp",
    "intrinsics_matrix",
    "line",
    "look_at",
    "orbit",
    "release_intrinsics",
    "scale_intrinsics",
    "warp_flow",
    "warp_one",
]
