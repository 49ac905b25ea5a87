"""Depth of posed pictures in the scene's units, by the points that its cameras were found with."""

from typing import NamedTuple

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


class PicturePoints(NamedTuple):
    """Points of the world as a picture shows them.

    Attributes:
        xy: where, in pixels; (0, 0) is the centre of the first.
        depth: z of each in the camera.
    """

    xy: Float[np.ndarray, "m 2"]
    depth: Float[np.ndarray, "m"]


def in_picture(
    points: Float[np.ndarray, "n 3"],
    pose: Float[np.ndarray, "4 4"],
    intrinsics: Float[np.ndarray, "3 3"],
    shape: tuple[int, ...],
) -> PicturePoints:
    """Those of the points that lie in a picture.

    Args:
        points: in world coordinates, seen by the camera.
        pose: world-to-camera.
        intrinsics: K; (0, 0) is the centre of the first pixel.
        shape: rows and columns of the picture.
    """
    seen = points @ pose[:3, :3].T + pose[:3, 3]
    seen = seen[seen[:, 2] > 0]
    homogeneous = seen @ intrinsics.T
    xy = homogeneous[:, :2] / homogeneous[:, 2:]
    inside = ((xy > -0.5) & (xy < np.array(shape[::-1]) - 0.5)).all(-1)
    return PicturePoints(xy[inside], seen[inside, 2])


def depth_by_points(disparity: Float[np.ndarray, "H W"], points: PicturePoints, name: str) -> Float[np.ndarray, "H W"]:
    """Depth in the scene's units of a map of unknown scale and shift.

    Args:
        disparity: of the picture.
        points: that it shows.
        name: what errors call the picture.

    Raises:
        InputError: there are fewer than 16 of the points.
    """
    count = len(points.xy)
    _check_enough(count, name)
    more = -count % _ROUND_TO
    counts = np.pad(np.ones(count, bool), (0, more))
    positions = jnp.asarray(np.pad(points.xy, ((0, more), (0, 0))), jnp.float32)
    depths = jnp.asarray(np.pad(points.depth, (0, more)), jnp.float32)
    return np.asarray(align_to_points(jnp.asarray(disparity, jnp.float32), positions, depths, jnp.asarray(counts)))


def scaled_by_points(depth: Float[np.ndarray, "H W"], points: PicturePoints, name: str) -> Float[np.ndarray, "H W"]:
    """Depth in the scene's units of a map in another unit, by the median of what the points say of it.

    Args:
        depth: of the picture; infinite where unknown, and stays so.
        points: that it shows.
        name: what errors call the picture.

    Raises:
        InputError: depth is known at fewer than 16 of the points.
    """
    columns, rows = np.clip(np.round(points.xy).astype(int), 0, np.array(depth.shape[::-1]) - 1).T
    there = depth[rows, columns]
    known = np.isfinite(there) & (there > 0)
    _check_enough(int(known.sum()), name)
    return depth * np.float32(np.median(points.depth[known] / there[known]))


def _check_enough(count: int, name: str) -> None:
    if count < FEWEST:
        raise InputError(f"{name} shows {count} points of the scene; {FEWEST} are needed to fit its depth to")
