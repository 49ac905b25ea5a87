"""Reading photos and depth, writing videos and pictures. Needs no JAX, so that the command answers at once."""

from nvs_jax.media.depth import DEPTH_SUFFIXES, check_depth, check_shape, match_depth, read_depth
from nvs_jax.media.figures import depth_picture, trust_heat_map
from nvs_jax.media.fitting import Placement, allowed_size, fit, fit_depth, placement_of
from nvs_jax.media.photo import as_float, exif_focal, read_photo, to_bytes
from nvs_jax.media.sheet import contact_sheet
from nvs_jax.media.video import (
    Clip,
    check_encoder,
    files_in,
    folder_shape,
    frame_files,
    frame_rate,
    in_order,
    open_frames,
    open_video,
    read_frames,
    read_video_file,
    write_frames,
    write_gif,
    write_picture,
    write_video,
)

__all__ = [
    "DEPTH_SUFFIXES",
    "Clip",
    "Placement",
    "allowed_size",
    "as_float",
    "check_depth",
    "check_encoder",
    "check_shape",
    "contact_sheet",
    "depth_picture",
    "exif_focal",
    "files_in",
    "fit",
    "fit_depth",
    "folder_shape",
    "frame_files",
    "frame_rate",
    "in_order",
    "match_depth",
    "open_frames",
    "open_video",
    "placement_of",
    "read_depth",
    "read_frames",
    "read_photo",
    "read_video_file",
    "to_bytes",
    "trust_heat_map",
    "write_frames",
    "write_gif",
    "write_picture",
    "write_video",
]
