"""A camera path through key frames: positions by a spline, rotations by a smooth one of rotations. No JAX here."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError

Pose = Float[np.ndarray, "4 4"]
Poses = Float[np.ndarray, "f 4 4"]
Point = Float[np.ndarray, "3"]
_UP = np.array([0.0, -1.0, 0.0])
"""World +y is down in the picture."""


def key_numbers(keys: Sequence[Pose], frames: int, distance: float) -> tuple[int, ...]:
    """The frames at which a path is at its key frames, so that it moves at about the same speed everywhere.

    A turn counts as the way that a thing at `distance` seems to go.

    Args:
        keys: world-to-camera, in their order.
        frames: of the path.
        distance: of what is looked at, in scene units.

    Raises:
        InputError: fewer than two key frames, or more than there are frames.

    >>> moved = [np.eye(4) for _ in range(3)]
    >>> moved[1][0, 3], moved[2][0, 3] = 1.0, 4.0
    >>> key_numbers(moved, 9, 1.0)
    (0, 2, 8)
    """
    if not 2 <= len(keys) <= frames:
        raise InputError(f"{len(keys)} key frames of {frames} frames: give 2 at least, and no more than that")
    steps = np.array([_way(*pair, distance) for pair in pairwise(keys)])
    shares = np.ones(len(steps)) if steps.sum() == 0 else steps
    ends = np.concatenate([[0], np.cumsum(shares) / shares.sum()]) * (frames - 1)
    numbers = np.round(ends).astype(int)
    for index in range(1, len(numbers)):  # each has a frame of its own, also where two are close to each other
        numbers[index] = max(numbers[index], numbers[index - 1] + 1)
    for index in range(len(numbers) - 1, -1, -1):
        numbers[index] = min(numbers[index], frames - len(numbers) + index)
    return tuple(int(number) for number in numbers)


def through_keys(keys: Sequence[Pose], frames: int, distance: float) -> Poses:
    """A smooth path through key frames; at `key_numbers` it is exactly there.

    Camera centres follow a natural cubic spline, rotations one whose angular velocity is continuous; two keys make a
    straight line and a turn at constant speed.

    Args:
        keys: world-to-camera.
        frames: of the path.
        distance: see `key_numbers`.

    Raises:
        InputError: see `key_numbers`.
    """
    from scipy.interpolate import CubicSpline
    from scipy.spatial.transform import Rotation, RotationSpline

    numbers, times = key_numbers(keys, frames, distance), np.arange(frames)
    stacked = np.stack([np.asarray(key, np.float64) for key in keys])
    centres = CubicSpline(numbers, centre_of(stacked), bc_type="natural")(times)
    turns = RotationSpline(numbers, Rotation.from_matrix(stacked[:, :3, :3]))(times).as_matrix()
    path = posed(turns, centres)
    path[list(numbers)] = stacked
    return path


def looking_at(poses: Poses, target: Point) -> Poses:
    """The same camera centres, turned so that `target` is in the middle of every picture, horizons level.

    Raises:
        InputError: a camera at the target, or straight above or below it.
    """
    centres = centre_of(poses)
    forward = target - centres
    distance = np.linalg.norm(forward, axis=-1, keepdims=True)
    right = np.cross(forward, _UP)
    if (np.linalg.norm(right, axis=-1, keepdims=True) <= 1e-6 * distance).any() or not distance.all():
        raise InputError("a camera at, right above or right below what it is to look at: move that key frame")
    forward /= distance
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    return posed(np.stack([right, np.cross(forward, right), forward], axis=-2), centres)


def centre_of(pose: Float[np.ndarray, "*n 4 4"]) -> Float[np.ndarray, "*n 3"]:
    """Where a world-to-camera pose stands: -R^T t."""
    return -np.einsum("...ji,...j->...i", pose[..., :3, :3], pose[..., :3, 3])


def posed(rotation: Float[np.ndarray, "*n 3 3"], centre: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 4 4"]:
    """World-to-camera poses of world-to-camera rotations at camera centres: t = -R c."""
    pose = np.zeros((*rotation.shape[:-2], 4, 4))
    pose[..., :3, :3] = rotation
    pose[..., :3, 3] = -np.einsum("...ij,...j->...i", rotation, centre)
    pose[..., 3, 3] = 1
    return pose


def _way(before: Pose, after: Pose, distance: float) -> float:
    turned = np.clip((np.trace(before[:3, :3] @ after[:3, :3].T) - 1) / 2, -1, 1)
    return float(np.linalg.norm(centre_of(after) - centre_of(before)) + distance * np.arccos(turned))
