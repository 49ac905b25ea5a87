"""Scenes the tests write and read back, and what a refusal looks like."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import ExifTags, Image

from nvs_jax.errors import InputError
from nvs_jax.media.cameras import CameraSet, Observations, PosedCamera
from nvs_jax.media.cameras.rotations import pose_matrix, rotation_of

HEIGHT, WIDTH = 48, 64


def random_pose(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    quaternion = rng.normal(size=4)
    return pose_matrix(rotation_of(quaternion / np.linalg.norm(quaternion), "random"), rng.normal(size=3) * 3)


def random_intrinsics(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    fx, fy, cx, cy = rng.uniform((20, 20, 20, 15), (200, 200, 44, 33))
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


SEEDS = st.integers(0, 2**32 - 1)


def picture_file(path: Path, height: int = HEIGHT, width: int = WIDTH) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (200, 100, 50)).save(path)
    return path


def turned_picture(path: Path, orientation: int, height: int = HEIGHT, width: int = WIDTH) -> Path:
    """A JPEG of `height` x `width` stored pixels, green above and red below, with an EXIF orientation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, :, 1] = pixels[height // 2 :, :, 0] = 255
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(pixels).save(path, exif=exif, quality=95, subsampling=0)
    return path


def random_scene(folder: Path, seed: int, *, shared_lens: bool, pictures: bool = True) -> CameraSet:
    """Three cameras, their pictures in `folder/images`, ten points, of which each camera is said to show some."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(10, 3))
    cameras, observations = [], []
    for index in range(3):
        picture = folder / "images" / f"{index}.png"
        if pictures and not picture.is_file():
            picture_file(picture)
        K = random_intrinsics(seed if shared_lens else seed + index)
        cameras.append(
            PosedCamera(random_pose(seed + index), K, HEIGHT, WIDTH, picture.resolve() if pictures else None)
        )
        shown = rng.permutation(10)[: 3 * index]
        observations.append(Observations(cameras[-1].project(points[shown]), shown))
    colours = rng.integers(0, 256, (10, 3)).astype(np.uint8)
    return CameraSet(tuple(cameras), points, colours, tuple(observations))


def assert_same_cameras(ours: CameraSet, theirs: CameraSet) -> None:
    """The same poses, and known points at the same pixels."""
    points = np.random.default_rng(0).uniform(-2, 2, (20, 3))
    assert len(ours.cameras) == len(theirs.cameras)
    np.testing.assert_allclose(ours.poses, theirs.poses, atol=1e-6)
    for one, other in zip(ours.cameras, theirs.cameras, strict=True):
        assert (one.height, one.width) == (other.height, other.width)
        # One camera may have a point almost in its plane, and its pixel position a large one.
        np.testing.assert_allclose(one.project(points), other.project(points), rtol=1e-6, atol=1e-6)


def refused(read: Callable[..., object], *arguments: object, **options: object) -> str:
    """The one line that a reader refuses with."""
    with pytest.raises(InputError) as caught:
        read(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def damaged(content: bytes, changes: list[tuple[float, int]], keep: float) -> bytes:
    """`content` with some bytes changed, headers more often than the rest, and perhaps cut."""
    changed = bytearray(content)
    for place, value in changes:
        changed[int(place**2 * len(changed))] = value
    return bytes(changed[: round(keep * len(changed)) if keep < 0.9 else None])


CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)
KEEP = st.floats(0, 1)
