"""A corner of three walls with noise painted on them: enough texture for features in small pictures."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

HEIGHT, WIDTH, FOCAL = 180, 240, 200.0
_SIDE, _TEXELS = 512, 60.0
"""Of a wall's picture, and how many of them to a unit."""


def _walls() -> np.ndarray:
    random = np.random.default_rng(0)
    noise = [random.normal(size=(3, _SIDE, _SIDE, 3)) for _ in range(3)]
    scales = (1, 3, 8)
    layers = [gaussian_filter(n, (0, s, s, 0), mode="wrap") * s for n, s in zip(noise, scales, strict=True)]
    texture = np.sum(layers, axis=0)
    return np.clip(0.5 + 0.25 * texture / texture.std(), 0, 1)


def seen(pose: np.ndarray, walls: np.ndarray) -> np.ndarray:
    """What a world-to-camera pose sees, [H, W, 3] in [0, 1]: walls at x = 1.3, y = 0.8 and z = 4."""
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5 - WIDTH / 2, np.arange(HEIGHT) + 0.5 - HEIGHT / 2)
    rays = np.stack([x / FOCAL, y / FOCAL, np.ones_like(x)], -1) @ pose[:3, :3]
    centre = -pose[:3, :3].T @ pose[:3, 3]
    with np.errstate(divide="ignore"):
        reach = (np.array([1.3, 0.8, 4.0]) - centre) / rays
    reach[reach <= 0] = np.inf
    nearest = reach.argmin(-1)
    points = centre + rays * reach.min(-1)[..., None]
    picture = np.zeros((HEIGHT, WIDTH, 3))
    for wall, axes in enumerate(((1, 2), (0, 2), (0, 1))):
        on = nearest == wall
        at = points[on][:, axes].T * _TEXELS
        colours = np.moveaxis(walls[wall], -1, 0)
        picture[on] = np.stack([map_coordinates(colour, at, order=1, mode="grid-wrap") for colour in colours], -1)
    return picture


def poses_beside(count: int, step: float = 0.25, turn: float = 2.0) -> np.ndarray:
    """World-to-camera poses that go to the side, in turn higher and lower, and turn back by so many degrees a step."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    for index in range(count):
        away = index - (count - 1) / 2
        R = Rotation.from_rotvec([0, np.radians(turn) * away, 0]).as_matrix()
        poses[index, :3, :3], poses[index, :3, 3] = R, -R @ [step * away, 0.6 * step * (index % 2), 0]
    return poses


def painted(poses: np.ndarray) -> np.ndarray:
    """What each pose sees."""
    walls = _walls()
    return np.stack([seen(pose, walls) for pose in poses])


def write_photos(folder: Path, poses: np.ndarray, **saved) -> list[Path]:
    folder.mkdir(parents=True)
    files = []
    for index, picture in enumerate(painted(poses)):
        files.append(folder / f"{index:02}.png")
        Image.fromarray((picture * 255).round().astype(np.uint8)).save(files[-1], **saved)
    return files
