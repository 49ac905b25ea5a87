"""Cameras, camera paths and the forward warp: jnp throughout, differentiable, jitted. Nothing here knows a network."""

from nvs_jax.geometry.cameras import intrinsics_matrix, look_at, release_intrinsics, scale_intrinsics
from nvs_jax.geometry.depth import disparity_to_depth
from nvs_jax.geometry.depth_alignment import align_to_depth, align_to_points, align_video
from nvs_jax.geometry.depth_completion import complete_depth, splat_depth
from nvs_jax.geometry.full_turn import Arc, full_turn, turn_order
from nvs_jax.geometry.fusion import Sources, fuse, pose_distance_to_nearest, warp_nearest
from nvs_jax.geometry.hole_filling import fill_holes
from nvs_jax.geometry.masks import dilate
from nvs_jax.geometry.scene_scale import disparity_to_scene
from nvs_jax.geometry.trajectories import between, ellipse, line, orbit, relative_to, through
from nvs_jax.geometry.view_moves import DollyZoom, dolly_zoom, figure_of_eight, spiral
from nvs_jax.geometry.warp import Warp, forward_warp, nothing_known, warp_flow, warp_one

__all__ = [
    "Arc",
    "DollyZoom",
    "Sources",
    "Warp",
    "align_to_depth",
    "align_to_points",
    "align_video",
    "between",
    "complete_depth",
    "dilate",
    "disparity_to_depth",
    "disparity_to_scene",
    "dolly_zoom",
    "ellipse",
    "figure_of_eight",
    "fill_holes",
    "forward_warp",
    "full_turn",
    "fuse",
    "intrinsics_matrix",
    "line",
    "look_at",
    "nothing_known",
    "orbit",
    "pose_distance_to_nearest",
    "relative_to",
    "release_intrinsics",
    "scale_intrinsics",
    "spiral",
    "splat_depth",
    "through",
    "turn_order",
    "warp_flow",
    "warp_nearest",
    "warp_one",
]
