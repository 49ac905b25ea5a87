"""Cameras and poses from files, and into them: COLMAP, nerfstudio, DTU, MVSNet, Tanks and Temples, plain poses, .ply.

Whatever the file's convention, poses are world-to-camera with OpenCV's axes. Needs no JAX.
"""

from nvs_jax.media.cameras.colmap import read_colmap, write_colmap
from nvs_jax.media.cameras.colmap.register import Registration, register_photos
from nvs_jax.media.cameras.depth_maps import find_depth_maps
from nvs_jax.media.cameras.detect import read_cameras
from nvs_jax.media.cameras.dtu import read_dtu
from nvs_jax.media.cameras.geometry_model import read_geometry_model
from nvs_jax.media.cameras.mvsnet import read_mvsnet
from nvs_jax.media.cameras.ply import point_cloud, read_ply, write_ply
from nvs_jax.media.cameras.pose_files import read_pose_file, read_poses, write_poses
from nvs_jax.media.cameras.tanks import read_tanks
from nvs_jax.media.cameras.transforms_json import read_transforms, write_transforms
from nvs_jax.media.cameras.tum import read_tum, write_tum
from nvs_jax.media.cameras.views import CameraSet, DepthUnit, Observations, PosedCamera, is_turned, read_picture

__all__ = [
    "CameraSet",
    "DepthUnit",
    "Observations",
    "PosedCamera",
    "Registration",
    "find_depth_maps",
    "is_turned",
    "point_cloud",
    "read_cameras",
    "read_colmap",
    "read_dtu",
    "read_geometry_model",
    "read_mvsnet",
    "read_picture",
    "read_ply",
    "read_pose_file",
    "read_poses",
    "read_tanks",
    "read_transforms",
    "read_tum",
    "register_photos",
    "write_colmap",
    "write_ply",
    "write_poses",
    "write_transforms",
    "write_tum",
]
