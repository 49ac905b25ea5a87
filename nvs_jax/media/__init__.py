"""Reading photos and depth, writing videos and pictures. Needs no JAX, so that the command answers at once."""

from nvs_jax.media.atomic import atomic_folder, atomic_path
from nvs_jax.media.depth import DEPTH_SUFFIXES, check_depth, check_shape, match_depth, read_depth
from nvs_jax.media.figures import depth_picture, weights_heat_map
from nvs_jax.media.fitting import Fit, allowed_size, fit, fit_depth, plan_fit
from nvs_jax.media.photo import exif_focal, read_photo
from nvs_jax.media.sheet import contact_sheet
from nvs_jax.media.video import (
    in_order,
    read_frames,
    read_video_file,
    write_frames,
    write_gif,
    write_picture,
    write_video,
)

__all__ = [
    "DEPTH_SUFFIXES",
    "Fit",
    "allowed_size",
    "atomic_folder",
    "atomic_path",
    "check_depth",
    "check_shape",
    "contact_sheet",
    "depth_picture",
    "exif_focal",
    "fit",
    "fit_depth",
    "in_order",
    "match_depth",
    "plan_fit",
    "read_depth",
    "read_frames",
    "read_photo",
    "read_video_file",
    "weights_heat_map",
    "write_frames",
    "write_gif",
    "write_picture",
    "write_video",
]
