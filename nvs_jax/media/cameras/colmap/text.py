"""COLMAP's cameras.txt, images.txt and points3D.txt."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from nvs_jax.errors import InputError
from nvs_jax.media.cameras.colmap.model import (
    NO_POINT,
    NO_POINTS,
    PROJECTIONS,
    CameraRecord,
    ImageRecord,
    Model,
    PointRecords,
    unique,
    unsupported,
)
from nvs_jax.media.cameras.files import MAX_BYTES, floats, is_file, read_text, rows, whole

_MAX_ID = 2**32 - 1


def read_text_model(folder: Path, points: bool = True) -> Model:
    """Read a model from text; without points, only cameras and images.

    Raises:
        InputError: a file is missing, too large or malformed, or a number comes twice.
    """
    return Model(
        cameras=_read_cameras(folder / "cameras.txt"),
        images=_read_images(folder / "images.txt"),
        points=_read_points(folder / "points3D.txt") if points else NO_POINTS,
    )


def count_text_images(folder: Path) -> int:
    """How many images a model has; 0 where it has no such file."""
    if not is_file(folder / "images.txt"):
        return 0
    return sum(1 for _ in _pairs_of_lines(folder / "images.txt"))


def write_text_model(folder: Path, model: Model) -> None:
    """Write a model as text.

    Raises:
        InputError: an image's name holds white space, which separates fields here.
    """
    lines = ["# CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]"]
    for number, camera in model.cameras.items():
        lines.append(f"{number} {camera.model} {camera.width} {camera.height} {_joined(camera.parameters)}")
    _write(folder / "cameras.txt", lines)

    lines = ["# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then a line of X Y POINT3D_ID[]"]
    for number, image in model.images.items():
        if image.name.split() != [image.name]:
            raise InputError(f"{image.name!r}: a name with spaces; rename the picture, or write the model as binary")
        pose = _joined([*image.quaternion, *image.translation])
        seen = zip(image.xy.tolist(), image.points.tolist(), strict=True)
        lines.append(f"{number} {pose} {image.camera} {image.name}")
        lines.append(" ".join(f"{x!r} {y!r} {point}" for (x, y), point in seen))
    _write(folder / "images.txt", lines)

    lines = ["# POINT3D_ID X Y Z R G B ERROR (-1: unknown) TRACK[] of IMAGE_ID POINT2D_IDX"]
    points = model.points
    for number, xyz, colour, track in zip(points.numbers, points.xyz, points.colours, model.tracks(), strict=True):
        seen = "".join(f" {image} {index}" for image, index in track)
        lines.append(f"{number} {_joined(xyz)} {colour[0]} {colour[1]} {colour[2]} -1{seen}")
    _write(folder / "points3D.txt", lines)


def _read_cameras(path: Path) -> dict[int, CameraRecord]:
    cameras: dict[int, CameraRecord] = {}
    for where, words in rows(path, MAX_BYTES):
        if len(words) < 4:
            raise InputError(f"{where}: a camera needs CAMERA_ID MODEL WIDTH HEIGHT PARAMS")
        if words[1] not in PROJECTIONS:
            raise unsupported(words[1][:40], where)
        if len(words) != 4 + len(PROJECTIONS[words[1]].parameters):
            raise InputError(f"{where}: {words[1]} needs {' '.join(PROJECTIONS[words[1]].parameters)}")
        number = unique(whole(words[0], where, _MAX_ID), cameras, where)
        parameters = tuple(floats(words[4:], where).tolist())
        cameras[number] = CameraRecord(words[1], whole(words[2], where), whole(words[3], where), parameters)
    return cameras


def _read_images(path: Path) -> dict[int, ImageRecord]:
    images: dict[int, ImageRecord] = {}
    for (where, line), (seen_where, seen) in _pairs_of_lines(path):
        words = line.split(maxsplit=9)
        if len(words) != 10:
            raise InputError(f"{where}: an image needs IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME")
        pose = floats(words[1:8], where)
        xy, points = _read_observations(seen.split(), seen_where)
        number = unique(whole(words[0], where, _MAX_ID), images, where)
        images[number] = ImageRecord(words[9].strip(), whole(words[8], where, _MAX_ID), pose[:4], pose[4:], xy, points)
    return images


def _pairs_of_lines(path: Path) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Each image's line and the one after it, which is empty where the image shows no point."""
    lines = enumerate(read_text(path, MAX_BYTES).split("\n"), start=1)
    for number, line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            seen_number, seen = next(lines, (number + 1, ""))
            yield (f"{path}, line {number}", line), (f"{path}, line {seen_number}", seen)


def _read_observations(words: list[str], where: str) -> tuple[Float[np.ndarray, "m 2"], Int[np.ndarray, "m"]]:
    if len(words) % 3:
        raise InputError(f"{where}: this must be X Y POINT3D_ID, again and again")
    xy = np.stack([floats(words[0::3], where), floats(words[1::3], where)], axis=-1)
    points = [NO_POINT if word == str(NO_POINT) else whole(word, where) for word in words[2::3]]
    return xy, np.array(points, np.int64)


def _read_points(path: Path) -> PointRecords:
    numbers, xyz, colours = [], [], []
    for where, words in rows(path, MAX_BYTES):
        if len(words) < 8:
            raise InputError(f"{where}: a point needs POINT3D_ID X Y Z R G B ERROR")
        numbers.append(whole(words[0], where))
        xyz.append(floats(words[1:4], where))
        colours.append([whole(word, where, 255) for word in words[4:7]])
    return PointRecords(
        np.array(numbers, np.int64), np.array(xyz).reshape(-1, 3), np.array(colours, np.uint8).reshape(-1, 3)
    )


def _joined(values: Float[np.ndarray, "n"] | list[float] | tuple[float, ...]) -> str:
    return " ".join(repr(float(value)) for value in values)


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
