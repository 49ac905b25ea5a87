"""Coloured point clouds: from a picture with depth, and as .ply files that any viewer opens.

See http://paulbourke.net/dataformats/ply/.
"""

import os
import re
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.media.cameras.files import LARGEST, floats, read_bytes
from nvs_jax.media.cameras.views import Matrix, Pose
from nvs_jax.media.photo import Picture, to_bytes

Points = Float[np.ndarray, "_ 3"]
Colours = UInt8[np.ndarray, "_ 3"]

_VERTEX = np.dtype([(name, "<f4") for name in "xyz"] + [(name, "u1") for name in ("red", "green", "blue")])
_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">"}
_END_OF_HEADER = re.compile(rb"^end_header[ \t]*\r?\n", re.MULTILINE)


def point_cloud(
    picture: Picture, depth: Float[np.ndarray, "h w"], intrinsics: Matrix, pose: Pose
) -> tuple[Points, Colours]:
    """The surface a picture shows, a point a pixel.

    Args:
        picture: [H,W,3] in [0,1].
        depth: [H,W], z of every pixel in the pose's units; pixels where it is not positive and finite are left out.
        intrinsics: K in pixels, (0, 0) being the upper left corner, so that pixel centres lie at half numbers.
        pose: world-to-camera, OpenCV.

    Returns:
        points in world coordinates, row by row, and their colours.

    Raises:
        InputError: picture and depth differ in size.
    """
    if picture.shape[:2] != depth.shape:
        sizes = [f"{shape[0]}x{shape[1]}" for shape in (picture.shape, depth.shape)]
        raise InputError(f"the picture is {sizes[0]}, its depth {sizes[1]} (height x width): resize one of them")
    seen = np.isfinite(depth) & (depth > 0)
    row, column = np.nonzero(seen)
    pixels = np.stack([column + 0.5, row + 0.5, np.ones(len(row))], axis=-1)
    in_camera = depth[seen].astype(np.float64)[:, None] * (pixels @ np.linalg.inv(intrinsics).T)
    camera_to_world = np.linalg.inv(pose)
    return in_camera @ camera_to_world[:3, :3].T + camera_to_world[:3, 3], to_bytes(picture[seen])


def write_ply(path: str | os.PathLike[str], points: Points, colours: Colours | None = None) -> None:
    """Write points as a binary, little-endian .ply with float32 positions.

    Args:
        path: of the file.
        points: positions.
        colours: None: grey.

    Raises:
        InputError: a position is not finite, or the colours are not as many.
    """
    if colours is not None and len(colours) != len(points):
        raise InputError(f"{path}: {len(colours)} colours for {len(points)} points: give each point one")
    if not (np.abs(points) <= LARGEST).all():
        raise InputError(f"{path}: points must be finite and within {LARGEST:g}")
    vertices = np.empty(len(points), _VERTEX)
    for axis, (position, colour) in enumerate(zip("xyz", ("red", "green", "blue"), strict=True)):
        vertices[position] = points[:, axis]
        vertices[colour] = 128 if colours is None else colours[:, axis]
    properties = [f"property {'float' if name in 'xyz' else 'uchar'} {name}" for name in _VERTEX.names or ()]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}", *properties, "end_header"]
    with atomic_path(path) as temporary:
        temporary.write_bytes("".join(f"{line}\n" for line in header).encode() + vertices.tobytes())


def read_ply(path: str | os.PathLike[str]) -> tuple[Points, Colours | None]:
    """Read a .ply's vertices: text or binary, colours where it has some (0 to 255).

    Raises:
        InputError: missing, too large, damaged, or without x, y and z.
    """
    path = Path(path)
    content = read_bytes(path)
    end = _END_OF_HEADER.search(content, 0, 2**16)
    if not content.startswith(b"ply") or end is None:
        raise InputError(f"{path}: not a .ply file: it must begin with 'ply' and a header")
    header = content[: end.start()].decode("ascii", errors="replace").splitlines()
    spelling, count, dtype = _parse_header(header, path)
    body = memoryview(content)[end.end() :]
    columns = _text_columns(body, count, dtype, path) if spelling == "ascii" else _columns(body, count, dtype, path)
    points = np.stack([columns[axis] for axis in "xyz"], axis=-1).astype(np.float64).reshape(-1, 3)
    if not (np.abs(points) <= LARGEST).all():
        raise InputError(f"{path}: positions must be finite and within {LARGEST:g}")
    if not all(dtype.fields and name in dtype.fields and dtype[name] == np.uint8 for name in ("red", "green", "blue")):
        return points, None
    return points, np.stack([columns[name] for name in ("red", "green", "blue")], axis=-1).astype(np.uint8)


def _parse_header(lines: list[str], path: Path) -> tuple[str, int, np.dtype]:
    """How the body is spelled, how many vertices it begins with, and what each consists of."""
    words = [words for line in lines[1:] if (words := line.split()) and words[0] not in ("comment", "obj_info")]
    spelling = words[0][1] if words and len(words[0]) == 3 and words[0][0] == "format" else ""
    element = words[1] if len(words) > 1 else []
    if spelling not in ("ascii", *_ORDERS):
        raise InputError(f"{path}: the .ply header must name the format: ascii, {' or '.join(_ORDERS)}")
    known = element[:2] == ["element", "vertex"] and len(element) == 3 and element[2].isascii() and element[2].isdigit()
    if not known or len(element[2]) > 10:
        raise InputError(f"{path}: the .ply file must begin with its vertices")
    fields: dict[str, str] = {}
    for entry in words[2:]:
        if entry[0] == "element":
            break
        if len(entry) != 3 or entry[0] != "property" or entry[1] not in _TYPES or entry[2] in fields:
            raise InputError(f"{path}: the .ply header has a vertex property this cannot read")
        fields[entry[2]] = _ORDERS.get(spelling, "<") + _TYPES[entry[1]]
    if not fields.keys() >= set("xyz"):
        raise InputError(f"{path}: the .ply file's vertices have no x, y and z")
    return spelling, int(element[2]), np.dtype(list(fields.items()))


def _columns(body: memoryview, count: int, dtype: np.dtype, path: Path) -> np.ndarray:
    if count * dtype.itemsize > len(body):
        raise InputError(f"{path}: the file ends early; write it again")
    return np.frombuffer(body[: count * dtype.itemsize], dtype)


def _text_columns(body: memoryview, count: int, dtype: np.dtype, path: Path) -> dict[str, np.ndarray]:
    names = dtype.names or ()
    words = bytes(body).decode("ascii", errors="replace").split(maxsplit=count * len(names))[: count * len(names)]
    if len(words) < count * len(names):
        raise InputError(f"{path}: the file ends early; write it again")
    values = floats(words, str(path)).reshape(count, len(names))
    columns = {name: values[:, index] for index, name in enumerate(names)}
    for name in ("red", "green", "blue"):
        if name in columns and count and not (columns[name].min() >= 0 and columns[name].max() <= 255):
            raise InputError(f"{path}: colours must be from 0 to 255")
    return columns
