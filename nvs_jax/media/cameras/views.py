"""What every camera file becomes: posed cameras, and the points seen by them where the file has some.

Whatever the file's convention, poses are world-to-camera with OpenCV axes (x right, y down, z forward), and pixel
positions are continuous with (0, 0) the picture's upper left *corner*, as in `nvs_jax.media.fitting`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8

from nvs_jax.errors import InputError
from nvs_jax.media.geometry_file import stored_picture
from nvs_jax.media.photo import Picture, photo_size, read_photo

Pose = Float[np.ndarray, "4 4"]
Matrix = Float[np.ndarray, "3 3"]

_HALF_A_PIXEL = np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]], np.float32)


@dataclass(frozen=True)
class DepthUnit:
    """What a step of the depth maps that a scene names is worth, where its own file says that.

    Attributes:
        size: in scene units.
        name: what the file calls it.
    """

    size: float
    name: str


@dataclass(frozen=True, eq=False)
class PosedCamera:
    """A camera, where it stood, and what it saw.

    Attributes:
        pose: world-to-camera.
        intrinsics: K for a picture of `height` x `width` pixels.
        height: rows the intrinsics are for; the picture file may have another resolution.
        width: columns the intrinsics are for.
        picture: the file it took; None where only the camera is known.
        depth: its depth map, of the same part of the scene as the camera's picture.
        crop: (left, top, width, height) of the camera's picture in the file's pixels; None: all of the file.
        name: the picture's path as the scene writes it, from its folder of pictures; None: that of the file alone.
        depth_unit: what the scene says of its depth maps; None: nothing.
        rounded_to: the sides of the camera's picture were rounded to multiples of this; the file's shape may differ by
            as much.
        index: which picture and map of files that hold many, an .npz of a geometry model; None: of files of one.
    """

    pose: Pose
    intrinsics: Matrix
    height: int
    width: int
    picture: Path | None
    depth: Path | None = None
    crop: tuple[int, int, int, int] | None = None
    name: str | None = None
    depth_unit: DepthUnit | None = None
    rounded_to: int = 1
    index: int | None = None

    @property
    def centre(self) -> Float[np.ndarray, "3"]:
        """Where it stands: -R^T t."""
        return -self.pose[:3, :3].T @ self.pose[:3, 3]

    def resized(self, height: int, width: int) -> Matrix:
        """K after the picture is stretched to another size."""
        return self.intrinsics * np.array([[width / self.width], [height / self.height], [1.0]])

    def project(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 2"]:
        """Pixel positions (x, y) of points of the world, which must not lie in the camera's plane.

        >>> camera = PosedCamera(np.eye(4), np.diag([100.0, 100.0, 1.0]), 48, 64, None)
        >>> camera.project(np.array([[1.0, 2.0, 4.0]])).tolist()
        [[25.0, 50.0]]
        """
        seen = (points @ self.pose[:3, :3].T + self.pose[:3, 3]) @ self.intrinsics.T
        return seen[:, :2] / seen[:, 2:]


def to_corner(K: Float[np.ndarray, "*n 3 3"]) -> Float[np.ndarray, "*n 3 3"]:
    """K that counts from the picture's corner, as files do, from one that counts from the centre of its first pixel.

    >>> to_corner(np.eye(3))[:, 2].tolist()
    [0.5, 0.5, 1.0]
    """
    return K + _HALF_A_PIXEL


def from_corner(K: Float[np.ndarray, "*n 3 3"]) -> Float[np.ndarray, "*n 3 3"]:
    """K that counts from the centre of the first pixel, as the warp does: the inverse of `to_corner`."""
    return K - _HALF_A_PIXEL


@dataclass(frozen=True, eq=False)
class Observations:
    """Where one picture shows points of its `CameraSet`.

    Attributes:
        xy: pixel positions, for the picture at the camera's size.
        point: which of the set's points each one is.
    """

    xy: Float[np.ndarray, "m 2"]
    point: Int[np.ndarray, "m"]


@dataclass(frozen=True, eq=False)
class CameraSet:
    """The cameras of one scene.

    Attributes:
        cameras: in the file's order, or sorted by name where it has none; or those that were asked for.
        points: points of the scene, in world coordinates; None where the file has none, or they were not asked for.
        colours: of the points.
        observations: one entry a camera, or None.
        names: of all pictures of the scene, also of cameras that were not asked for; empty where they say nothing.
        notes: what was chosen in reading, a line each.

    Raises:
        InputError: there is no camera, or the numbers of points, colours and observations do not fit together.
    """

    cameras: tuple[PosedCamera, ...]
    points: Float[np.ndarray, "n 3"] | None = None
    colours: UInt8[np.ndarray, "_ 3"] | None = None
    observations: tuple[Observations, ...] | None = None
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        count = 0 if self.points is None else len(self.points)
        if not self.cameras:
            raise InputError("there are no cameras; at least one frame is needed")
        if self.colours is not None and len(self.colours) != count:
            raise InputError(f"{len(self.colours)} colours for {count} points: give each point one")
        if self.observations is not None and len(self.observations) != len(self.cameras):
            raise InputError(f"{len(self.observations)} observations for {len(self.cameras)} cameras: give each one")
        for seen in self.observations or ():
            if seen.point.size and not 0 <= seen.point.min() <= seen.point.max() < count:
                raise InputError(f"a picture shows points that are not among the {count} given")

    @property
    def poses(self) -> Float[np.ndarray, "f 4 4"]:
        """All poses, world-to-camera."""
        return np.stack([camera.pose for camera in self.cameras])


def read_picture(camera: PosedCamera, *, whole: bool = False) -> Picture:
    """The picture of a camera at the file's resolution; its K there is `camera.resized(*picture.shape[:2])`.

    Cameras and depth maps are of the pixels as they are stored: neither COLMAP nor nerfstudio looks at EXIF rotations.

    Args:
        camera: where the picture is.
        whole: all of the file, of which the camera may have seen a part.

    Raises:
        InputError: there is none, it cannot be read, or its shape is not the camera's.
    """
    if camera.picture is None:
        raise InputError("the scene comes without pictures: put them into a folder images/ beside the model")
    if holds_many(camera.picture):
        return stored_picture(camera.picture, camera.index or 0)
    picture = read_photo(camera.picture, as_stored=not is_turned(camera))
    part = picture
    if camera.crop is not None:
        left, top, width, height = camera.crop
        part = picture[top : top + height, left : left + width]
    height, width = part.shape[:2]
    if not _has_shape(camera, height, width):
        raise InputError(
            f"{camera.picture}: {height}x{width} (height x width) is not the shape of its camera, "
            f"{camera.height}x{camera.width}; use the pictures, unturned and uncropped, that the cameras were made from"
        )
    return picture if whole else part


def holds_many(picture: Path) -> bool:
    """Whether a file is one of many pictures."""
    return picture.suffix.lower() == ".npz"


def is_turned(camera: PosedCamera) -> bool:
    """Whether a picture has its camera's shape only when it is turned as its EXIF data says."""
    if camera.picture is None or camera.crop is not None or holds_many(camera.picture):
        return False
    stored, upright = photo_size(camera.picture, as_stored=True), photo_size(camera.picture)
    return stored != upright and not _has_shape(camera, *stored) and _has_shape(camera, *upright)


def _has_shape(camera: PosedCamera, height: int, width: int) -> bool:
    # Rounding each side of a reduced picture changes the ratio by at most a pixel of either.
    return abs(height * camera.width - width * camera.height) <= camera.rounded_to * max(
        camera.height, camera.width, height, width
    )
