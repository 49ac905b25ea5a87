"""Cameras of browsers as poses, and back: viser's axes are OpenCV's, its rotations (w, x, y, z) camera-to-world."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from nvs_jax.studio.keys import Pose, centre_of, looking_at, posed


def pose_of(camera: Any) -> Pose:
    """World-to-camera pose of a browser's camera."""
    w, *xyz = camera.wxyz
    rotation = Rotation.from_quat([*xyz, w]).as_matrix().T
    return posed(rotation, np.asarray(camera.position, np.float64))


def quaternion_of(pose: Pose) -> Float[np.ndarray, "4"]:
    """How a camera is turned in the world: (w, x, y, z)."""
    x, y, z, w = Rotation.from_matrix(np.asarray(pose, np.float64)[:3, :3].T).as_quat()
    return np.array([w, x, y, z])


def behind(pose: Pose, distance: float) -> Pose:
    """A world-to-camera pose behind and above another one, turned to what is `distance` in front of that."""
    pose = np.asarray(pose, np.float64)
    right, down, ahead = pose[:3, :3]
    centre = centre_of(pose)
    away = centre + distance * (0.25 * right - 0.3 * down - 0.6 * ahead)
    return looking_at(posed(pose[None, :3, :3], away[None]), centre + distance * ahead)[0]


def fly_to(client: Any, pose: Pose, distance: float = 1.0) -> None:
    """Move a browser's camera.

    Args:
        client: the browser.
        pose: world-to-camera.
        distance: of the point that it turns about from then on.
    """
    pose = np.asarray(pose, np.float64)
    centre = centre_of(pose)
    client.camera.position, client.camera.wxyz = centre, quaternion_of(pose)
    client.camera.look_at = centre + distance * pose[2, :3]
