"""Small random scenes for the warp."""

from typing import Any, NamedTuple

import numpy as np


class Scene(NamedTuple):
    """Arrays of numpy or of JAX, in the order of `warp_one`."""

    picture: Any
    depth: Any
    intrinsics: Any
    source_pose: Any
    target_pose: Any

    def to(self, dtype):
        return Scene(*(array.astype(dtype) for array in self))


def random_rotation(rng, angle):
    """By `angle` radians about a random axis."""
    axis = rng.normal(size=3)
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def random_pose(rng, angle=2.0, distance=5.0):
    pose = np.eye(4)
    pose[:3, :3] = random_rotation(rng, angle)
    pose[:3, 3] = rng.normal(size=3) * distance
    return pose


def random_scene(seed, height=12, width=16, near=2.0, far=20.0, angle=0.05, distance=0.3):
    """Depths spread over [near, far]; the target a small motion away from the source."""
    rng = np.random.default_rng(seed)
    source = random_pose(rng)
    focal = width * rng.uniform(0.5, 1.5)
    return Scene(
        picture=rng.random((height, width, 3)),
        depth=near * (far / near) ** rng.random((height, width)),
        intrinsics=np.array([[focal, 0, width / 2], [0, 1.1 * focal, height / 2], [0, 0, 1]]),
        source_pose=source,
        target_pose=random_pose(rng, angle, distance) @ source,
    )
