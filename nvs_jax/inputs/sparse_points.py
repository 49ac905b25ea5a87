"""Estimated depth of posed pictures, in the scene's units by the points that its cameras were found with."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.geometry.depth_alignment import align_to_points
from nvs_jax.media.cameras import CameraSet

FEWEST = 16
"""Points in a picture, below which two numbers cannot be fitted in spite of outliers."""
_ROUND_TO = 1024  # numbers of points: each is a program of its own


def seen_points(cameras: CameraSet, index: int) -> Float[np.ndarray, "n 3"]:
    """The points of the world that a camera shows.

    Raises:
        InputError: the scene has no points, so that the scale of its depth is not known.
    """
    if cameras.points is None or cameras.observations is None:
        name = cameras.cameras[index].picture
        raise InputError(
            f"{name} comes without depth, and the scene without points to which an estimate could be fitted: give a "
            "COLMAP model with points3D, or a folder of depth maps with --depth"
        )
    return cameras.points[np.unique(cameras.observations[index].point)]


def depth_by_points(
    disparity: Float[np.ndarray, "H W"],
    points: Float[np.ndarray, "n 3"],
    pose: Float[np.ndarray, "4 4"],
    intrinsics: Float[np.ndarray, "3 3"],
    name: str,
) -> Float[np.ndarray, "H W"]:
    """Depth in the scene's units of a map of unknown scale and shift.

    Args:
        disparity: of the picture.
        points: in world coordinates, seen by the camera.
        pose: world-to-camera.
        intrinsics: K; (0, 0) is the centre of the first pixel.
        name: what errors call the picture.

    Raises:
        InputError: fewer than 16 of the points lie in the picture.
    """
    seen = points @ pose[:3, :3].T + pose[:3, 3]
    seen = seen[seen[:, 2] > 0]
    homogeneous = seen @ intrinsics.T
    xy = homogeneous[:, :2] / homogeneous[:, 2:]
    inside = ((xy > -0.5) & (xy < np.array(disparity.shape[::-1]) - 0.5)).all(-1)
    xy, depth = xy[inside], seen[inside, 2]
    if len(xy) < FEWEST:
        raise InputError(
            f"{name} shows {len(xy)} points of the scene; {FEWEST} are needed to fit disparity or an estimate to"
        )
    more = -len(xy) % _ROUND_TO
    counts = np.pad(np.ones(len(xy), bool), (0, more))
    positions = jnp.asarray(np.pad(xy, ((0, more), (0, 0))), jnp.float32)
    depths = jnp.asarray(np.pad(depth, (0, more)), jnp.float32)
    return np.asarray(align_to_points(jnp.asarray(disparity, jnp.float32), positions, depths, jnp.asarray(counts)))
