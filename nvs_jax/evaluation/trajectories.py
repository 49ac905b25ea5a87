"""How far one trajectory is from another: ATE, RPE-T and RPE-R, after a similarity if units and origin are not known.

Poses that structure from motion finds have a frame of reference and a scale of their own, so that papers report errors
after the similarity that brings the camera centres closest (Umeyama, 1991, "Least-squares estimation of transformation
parameters between two point patterns"). ATE is then the root mean square of the distances of centres, and RPE that of
the motions from frame to frame, in the true path's units and in degrees.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from nvs_jax.errors import InputError

Poses = Float[np.ndarray, "f 4 4"]


@dataclass(frozen=True)
class CameraErrors:
    """Of a video's cameras, as the paper reports them.

    Attributes:
        ate: absolute trajectory error, root mean square of distances between camera centres, in units of the true path.
        rpe_t: relative pose error from frame to frame, translation, root mean square, in the same units.
        rpe_r: its rotation, root mean square, in degrees.
    """

    ate: float
    rpe_t: float
    rpe_r: float


@dataclass(frozen=True, eq=False)
class Similarity:
    """x -> scale R x + t."""

    scale: float
    R: Float[np.ndarray, "3 3"]
    t: Float[np.ndarray, "3"]

    def points(self, x: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Points moved along."""
        return self.scale * x @ self.R.T + self.t

    def poses(self, poses: Poses) -> Poses:
        """World-to-camera poses in the world that is moved so, in its units."""
        rotations = poses[:, :3, :3] @ self.R.T
        moved = np.tile(np.eye(4), (len(poses), 1, 1))
        moved[:, :3, :3] = rotations
        moved[:, :3, 3] = -np.einsum("fij,fj->fi", rotations, self.points(centres(poses)))
        return moved


def centres(poses: Poses) -> Float[np.ndarray, "f 3"]:
    """Where the cameras of world-to-camera poses stand: -R^T t."""
    return -np.einsum("fji,fj->fi", poses[:, :3, :3], poses[:, :3, 3])


def umeyama(x: Float[np.ndarray, "n 3"], y: Float[np.ndarray, "n 3"]) -> Similarity:
    """The similarity that minimises the sum of |y - (scale R x + t)|^2, Umeyama's eqs. (40) to (42).

    >>> x = np.eye(3)
    >>> round(umeyama(x, 2 * x + 1).scale, 9)
    2.0

    Raises:
        InputError: fewer than three points, or all of `x` in one place, so that no scale is the best.
    """
    if len(x) < 3 or len(x) != len(y):
        raise InputError(f"{len(x)} and {len(y)} camera centres: three of both are needed to align them")
    mean_x, mean_y = x.mean(0), y.mean(0)
    variance = np.mean(np.sum((x - mean_x) ** 2, -1))
    if variance <= 1e-20 * max(1.0, float(np.max(mean_x**2))):
        raise InputError("the cameras that were found stand all in one place: no scale brings them to the true path")
    covariance = (y - mean_y).T @ (x - mean_x) / len(x)  # eq. (38)
    U, D, Vt = np.linalg.svd(covariance)
    S = np.diag([1.0, 1.0, np.sign(np.linalg.det(U) * np.linalg.det(Vt))])
    R = U @ S @ Vt
    scale = float(np.trace(np.diag(D) @ S) / variance)
    return Similarity(scale, R, mean_y - scale * R @ mean_x)


def aligned_errors(found: Poses, true: Poses) -> CameraErrors:
    """ATE and RPE of world-to-camera poses after Sim(3).

    >>> path = np.tile(np.eye(4), (4, 1, 1))
    >>> path[:, :3, 3] = [[0, 0, 0], [1, 0, 0], [2, 1, 0], [3, 0, 1]]
    >>> smaller = path * np.array([[1, 1, 1, 0.1]] * 3 + [[1, 1, 1, 1]])
    >>> errors = aligned_errors(smaller, path)
    >>> max(errors.ate, errors.rpe_t, errors.rpe_r) < 1e-6
    True

    Raises:
        InputError: see `umeyama`.
    """
    return trajectory_errors(umeyama(centres(found), centres(true)).poses(found), true)


def trajectory_errors(found: Poses, true: Poses) -> CameraErrors:
    """ATE and RPE of world-to-camera poses, without alignment.

    >>> path = np.tile(np.eye(4), (3, 1, 1))
    >>> path[:, 0, 3] = 0, 1, 2
    >>> shifted = path.copy()
    >>> shifted[2, 1, 3] = 1.0
    >>> errors = trajectory_errors(shifted, path)
    >>> print(round(errors.ate, 3), round(errors.rpe_t, 3), errors.rpe_r)
    0.577 0.707 0.0
    """
    placed, truly = np.linalg.inv(found), np.linalg.inv(true)  # camera-to-world
    distances = np.linalg.norm(placed[:, :3, 3] - truly[:, :3, 3], axis=-1)
    moved, truly_moved = (np.linalg.inv(path[:-1]) @ path[1:] for path in (placed, truly))
    off = np.linalg.inv(truly_moved) @ moved
    shifts = np.linalg.norm(off[:, :3, 3], axis=-1)
    angles = rotation_angles(off[:, :3, :3])
    return CameraErrors(*(float(np.sqrt(np.mean(np.square(values)))) for values in (distances, shifts, angles)))


def rotation_angles(R: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n"]:
    """By how much rotations turn, in degrees."""
    sine = np.linalg.norm(R - np.eye(3), axis=(1, 2)) / np.sqrt(8)  # of half the angle
    return 2 * np.degrees(np.arcsin(np.clip(sine, 0, 1)))


def match_times(
    found: Float[np.ndarray, "n"], true: Float[np.ndarray, "m"], tolerance: float = 0.01
) -> tuple[Int[np.ndarray, "k"], Int[np.ndarray, "k"]]:
    """Which frames of two trajectories are the same: of each true time the nearest that was found, if it is near.

    Args:
        found: times of the poses found, in the file's unit.
        true: those of the true ones.
        tolerance: largest difference, in the same unit.
    """
    if not len(found):
        return np.zeros(0, int), np.zeros(0, int)
    nearest = np.abs(found[None] - true[:, None]).argmin(1)
    kept = np.abs(found[nearest] - true) <= tolerance
    return nearest[kept], np.flatnonzero(kept)
