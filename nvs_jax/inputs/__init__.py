"""What users hand in, as the arrays of given views: pictures, depth, cameras, paths."""

from nvs_jax.inputs.camera_path import camera_path
from nvs_jax.inputs.posed_depth import NamedDepth
from nvs_jax.inputs.posed_views import read_sources
from nvs_jax.inputs.video import Video, read_conditions, read_video
from nvs_jax.inputs.view import DepthFile, EstimatedDepth, View, given_view, read_view

__all__ = [
    "DepthFile",
    "EstimatedDepth",
    "NamedDepth",
    "Video",
    "View",
    "camera_path",
    "given_view",
    "read_conditions",
    "read_sources",
    "read_video",
    "read_view",
]
