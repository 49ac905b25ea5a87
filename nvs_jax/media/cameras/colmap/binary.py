"""COLMAP's cameras.bin, images.bin and points3D.bin: little-endian, without padding."""

import struct
from pathlib import Path

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.colmap.model import (
    NAMES,
    NO_POINTS,
    PROJECTIONS,
    CameraRecord,
    ImageRecord,
    Model,
    PointRecords,
    unique,
    unsupported,
)
from nvs_jax.media.cameras.files import LARGEST, is_file, read_bytes

_COUNT = struct.Struct("<Q")
_CAMERA = struct.Struct("<IiQQ")  # number, model, width, height; then its parameters
_IMAGE = struct.Struct("<I7dI")  # number, quaternion, translation, camera; then name, zero, count, observations
_POINT = struct.Struct("<Q3d3BdQ")  # number, xyz, colour, error, length of the track; then the track
_OBSERVATION = np.dtype([("xy", "<f8", 2), ("point", "<i8")])
_TRACK_ENTRY = struct.Struct("<II")  # image's number, index among its observations
_UNKNOWN_ERROR = -1.0


class _Cursor:
    """Reads one record after another, and never past the end."""

    def __init__(self, path: Path):
        self.path = path
        self._content = read_bytes(path)
        self._offset = 0

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            InputError: there are fewer.
        """
        if size > len(self._content) - self._offset:
            raise InputError(f"{self.path}: the file ends early, or its counts are wrong; write it again")
        self._offset += size
        return self._content[self._offset - size : self._offset]

    def unpack(self, record: struct.Struct) -> tuple:
        return record.unpack(self.take(record.size))

    def count(self, size: int) -> int:
        """A count of records that take at least `size` bytes each, checked against what is left."""
        (count,) = self.unpack(_COUNT)
        if count * size > len(self._content) - self._offset:
            raise InputError(f"{self.path}: the file is too short for {count} records; write it again")
        return count

    def name(self) -> str:
        """Text up to a zero byte."""
        end = self._content.find(b"\0", self._offset, self._offset + 4096)
        if end < 0:
            raise InputError(f"{self.path}: an image's name does not end; write the file again")
        name = self.take(end - self._offset + 1)[:-1]
        try:
            return name.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path}: an image's name is not UTF-8; rename the picture") from error

    def finish(self) -> None:
        """Raise an InputError if bytes are left over."""
        if self._offset != len(self._content):
            raise InputError(f"{self.path}: more bytes than records; the file is damaged")


def read_binary_model(folder: Path, points: bool = True) -> Model:
    """Read a model from binary files; without points, only cameras and images.

    Raises:
        InputError: a file is missing, too large or damaged, or a number comes twice.
    """
    return Model(
        cameras=_read_cameras(_Cursor(folder / "cameras.bin")),
        images=_read_images(_Cursor(folder / "images.bin")),
        points=_read_points(_Cursor(folder / "points3D.bin")) if points else NO_POINTS,
    )


def count_binary_images(folder: Path) -> int:
    """How many images a model says it has; 0 where it has no such file."""
    if not is_file(folder / "images.bin"):
        return 0
    try:
        with (folder / "images.bin").open("rb") as stream:
            start = stream.read(_COUNT.size)
    except OSError as error:
        raise InputError(f"{folder / 'images.bin'}: cannot be read ({error.strerror})") from error
    return _COUNT.unpack(start)[0] if len(start) == _COUNT.size else 0


def write_binary_model(folder: Path, model: Model) -> None:
    """Write a model as binary files."""
    with (folder / "cameras.bin").open("wb") as stream:
        stream.write(_COUNT.pack(len(model.cameras)))
        for number, camera in model.cameras.items():
            stream.write(_CAMERA.pack(number, PROJECTIONS[camera.model].number, camera.width, camera.height))
            stream.write(np.array(camera.parameters, "<f8").tobytes())

    with (folder / "images.bin").open("wb") as stream:
        stream.write(_COUNT.pack(len(model.images)))
        for number, image in model.images.items():
            seen = np.empty(len(image.points), _OBSERVATION)
            seen["xy"], seen["point"] = image.xy, image.points
            stream.write(_IMAGE.pack(number, *image.quaternion, *image.translation, image.camera))
            stream.write(image.name.encode() + b"\0" + _COUNT.pack(len(seen)) + seen.tobytes())

    points = model.points
    with (folder / "points3D.bin").open("wb") as stream:
        stream.write(_COUNT.pack(len(points.numbers)))
        for number, xyz, colour, track in zip(points.numbers, points.xyz, points.colours, model.tracks(), strict=True):
            stream.write(_POINT.pack(number, *xyz, *colour, _UNKNOWN_ERROR, len(track)))
            stream.write(b"".join(_TRACK_ENTRY.pack(*entry) for entry in track))


def _read_cameras(cursor: _Cursor) -> dict[int, CameraRecord]:
    cameras: dict[int, CameraRecord] = {}
    for _ in range(cursor.count(_CAMERA.size)):
        number, model, width, height = cursor.unpack(_CAMERA)
        where = f"{cursor.path}: camera {number}"
        if model not in NAMES:
            raise unsupported(model, where)
        parameters = np.frombuffer(cursor.take(8 * len(PROJECTIONS[NAMES[model]].parameters)), "<f8")
        cameras[unique(number, cameras, where)] = CameraRecord(NAMES[model], width, height, tuple(parameters.tolist()))
    cursor.finish()
    return cameras


def _read_images(cursor: _Cursor) -> dict[int, ImageRecord]:
    images: dict[int, ImageRecord] = {}
    for _ in range(cursor.count(_IMAGE.size)):
        number, *pose, camera = cursor.unpack(_IMAGE)
        name = cursor.name()
        seen = np.frombuffer(cursor.take(_OBSERVATION.itemsize * cursor.count(_OBSERVATION.itemsize)), _OBSERVATION)
        where = f"{cursor.path}: image {number}"
        if not (np.abs(seen["xy"]) <= LARGEST).all():
            raise InputError(f"{where}: positions of points are not finite; the file is damaged")
        images[unique(number, images, where)] = ImageRecord(
            name, camera, np.array(pose[:4]), np.array(pose[4:]), seen["xy"].copy(), seen["point"].copy()
        )
    cursor.finish()
    return images


def _read_points(cursor: _Cursor) -> PointRecords:
    count = cursor.count(_POINT.size)
    numbers, xyz, colours = np.empty(count, np.uint64), np.empty((count, 3)), np.empty((count, 3), np.uint8)
    for index in range(count):
        number, x, y, z, red, green, blue, _, length = cursor.unpack(_POINT)
        cursor.take(_TRACK_ENTRY.size * length)  # the images say the same
        numbers[index], xyz[index], colours[index] = number, (x, y, z), (red, green, blue)
    cursor.finish()
    if not (np.abs(xyz) <= LARGEST).all():
        raise InputError(f"{cursor.path}: a point's position is not finite; the file is damaged")
    return PointRecords(numbers.astype(np.int64), xyz, colours)
