"""Poses as files write them: quaternions, camera-to-world matrices, OpenGL's axes; and whether they can be right.

Quaternions are (w, x, y, z), Hamilton's, of unit length.
"""

import numpy as np
from jaxtyping import Float, Shaped

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.views import Matrix, Pose

Quaternion = Float[np.ndarray, "4"]
Vector = Float[np.ndarray, "3"]

# Files with four digits pass; a scale, a shear or a mirror image does not.
TOLERANCE = 1e-3
# Far beyond any scene, and far from overflow in float32.
LARGEST = 1e15
# OpenGL's camera axes are x right, y up, z backward: half a turn about x from OpenCV's.
_HALF_TURN = np.diag([1.0, -1.0, -1.0, 1.0])


def check_pose(pose: Shaped[np.ndarray, "4 4"], where: str) -> Pose:
    """`pose` in float64, if its rotation is one and its numbers are sound.

    Raises:
        InputError: it is not; `where` names the file and frame.
    """
    pose = pose.astype(np.float64)
    if not (np.abs(pose) <= LARGEST).all():  # also false for NaN
        raise InputError(f"{where}: the pose holds values that are not finite or beyond {LARGEST:g}")
    rotation = pose[:3, :3]
    if np.abs(rotation).max() > 2 or np.abs(rotation @ rotation.T - np.eye(3)).max() > TOLERANCE:
        raise InputError(f"{where}: the rotation's rows are not orthogonal and of length 1; remove scale and shear")
    if np.linalg.det(rotation) < 0:
        raise InputError(f"{where}: the rotation is a mirror image (determinant -1); one of its axes is turned round")
    if np.abs(pose[3] - [0, 0, 0, 1]).max() > 1e-6:
        raise InputError(f"{where}: the last row of the pose must be 0 0 0 1; is the matrix transposed?")
    return pose


def pose_matrix(rotation: Matrix, translation: Vector) -> Pose:
    """[R t; 0 1]."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, translation
    return pose


def invert(pose: Pose) -> Pose:
    """World-to-camera from camera-to-world, or back: of the matrix as it is, not of the nearest rotation."""
    return np.linalg.inv(pose)


def from_opengl(camera_to_world: Pose) -> Pose:
    """World-to-camera, OpenCV, from camera-to-world, OpenGL.

    >>> behind = np.eye(4)
    >>> behind[2, 3] = 5  # at z = 5, looking down -z: the origin is 5 in front of it
    >>> from_opengl(behind)[:3, 3].tolist()
    [0.0, 0.0, 5.0]
    """
    return _HALF_TURN @ invert(camera_to_world) + 0.0


def to_opengl(pose: Pose) -> Pose:
    """The inverse of `from_opengl`."""
    return invert(pose) @ _HALF_TURN + 0.0  # +0.0: no negative zeros in files


def rotation_of(quaternion: Quaternion, where: str) -> Matrix:
    """The rotation of a quaternion, which may be off unit length by 1 %.

    Raises:
        InputError: it is further off, or not finite.
    """
    size = float(np.linalg.norm(quaternion)) if (np.abs(quaternion) <= LARGEST).all() else np.inf
    if not abs(size - 1) < 0.01:
        raise InputError(f"{where}: the quaternion must have length 1, not {size:.3g}")
    from scipy.spatial.transform import Rotation  # only here: it takes a while, and few files need it

    return Rotation.from_quat(quaternion, scalar_first=True).as_matrix()


def quaternion_of(rotation: Matrix) -> Quaternion:
    """The quaternion of a rotation (of the nearest one, where digits are few), with w >= 0."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(rotation).as_quat(canonical=True, scalar_first=True)
