"""COLMAP's records: what its three files hold, in either spelling, before it becomes cameras.

See https://colmap.github.io/format.html and https://colmap.github.io/cameras.html. Pixel positions have (0, 0) at the
upper left corner; an image's pose is world-to-camera with OpenCV's axes, its quaternion (w, x, y, z).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import intrinsics
from nvs_jax.media.cameras.views import Matrix


@dataclass(frozen=True)
class Projection:
    """A camera model: its number in binary files, and its parameters in order."""

    number: int
    parameters: tuple[str, ...]


PROJECTIONS = {
    "SIMPLE_PINHOLE": Projection(0, ("f", "cx", "cy")),
    "PINHOLE": Projection(1, ("fx", "fy", "cx", "cy")),
    "SIMPLE_RADIAL": Projection(2, ("f", "cx", "cy", "k1")),
    "RADIAL": Projection(3, ("f", "cx", "cy", "k1", "k2")),
    "OPENCV": Projection(4, ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2")),
    "FULL_OPENCV": Projection(6, ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")),
}
NAMES = {projection.number: name for name, projection in PROJECTIONS.items()}
NO_POINT = -1
# A distortion of 1e-6 moves the corner of a 90-degree picture of 2000 pixels by a five-hundredth of a pixel.
NEGLIGIBLE = 1e-6


@dataclass(frozen=True)
class CameraRecord:
    """A lens and the size of its pictures."""

    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ImageRecord:
    """A picture: its pose, its camera's number, and where it shows which points (`NO_POINT`: none)."""

    name: str
    camera: int
    quaternion: Float[np.ndarray, "4"]
    translation: Float[np.ndarray, "3"]
    xy: Float[np.ndarray, "m 2"]
    points: Int[np.ndarray, "m"]


@dataclass(frozen=True, eq=False)
class PointRecords:
    """All points: their numbers, which need not be in order or without gaps, positions and colours."""

    numbers: Int[np.ndarray, "n"]
    xyz: Float[np.ndarray, "n 3"]
    colours: UInt8[np.ndarray, "n 3"]


NO_POINTS = PointRecords(np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros((0, 3), np.uint8))


@dataclass(frozen=True, eq=False)
class Model:
    """A sparse model. Cameras and images are keyed by their numbers."""

    cameras: dict[int, CameraRecord]
    images: dict[int, ImageRecord]
    points: PointRecords

    def tracks(self) -> list[list[tuple[int, int]]]:
        """For every point, (image's number, index among that image's positions) wherever it is seen."""
        place = {number: index for index, number in enumerate(self.points.numbers.tolist())}
        tracks: list[list[tuple[int, int]]] = [[] for _ in place]
        for number, image in self.images.items():
            for index, point in enumerate(image.points.tolist()):
                if point != NO_POINT:
                    tracks[place[point]].append((number, index))
        return tracks


def unsupported(model: str | int, where: str) -> InputError:
    """The error for a lens this project cannot express."""
    return InputError(f"{where}: camera model {model} is not a pinhole; run COLMAP's image_undistorter on the model")


def record_intrinsics(record: CameraRecord, where: str) -> Matrix:
    """K of a camera without distortion.

    Raises:
        InputError: it has some, or its numbers cannot be right.
    """
    values = dict(zip(PROJECTIONS[record.model].parameters, record.parameters, strict=True))
    if any(not abs(value) < NEGLIGIBLE for name, value in values.items() if name[0] in "kp"):
        raise InputError(f"{where}: the lens has distortion; run COLMAP's image_undistorter and read what it writes")
    focal = (values.get("fx", values.get("f", 0.0)), values.get("fy", values.get("f", 0.0)))
    return intrinsics(focal, (values["cx"], values["cy"]), (record.height, record.width), where)


def unique(number: int, records: dict[int, CameraRecord] | dict[int, ImageRecord], where: str) -> int:
    """`number`, if no record has it yet.

    Raises:
        InputError: one has.
    """
    if number in records:
        raise InputError(f"{where}: {number} comes twice; every record needs a number of its own")
    return number
