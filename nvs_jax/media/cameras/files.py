"""Reading what strangers wrote: sizes are bounded before memory is taken, and every number is checked.

`where`, in all of these, is what errors call the place: the file, and the line or frame in it.
"""

import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from nvs_jax.disk.files import refuse_pointer
from nvs_jax.errors import InputError
from nvs_jax.media.cameras.rotations import LARGEST
from nvs_jax.media.cameras.views import Matrix

Item = TypeVar("Item")

MAX_BYTES = 512 * 2**20
MAX_TEXT_BYTES = 64 * 2**20
MAX_POSES = 100_000
MAX_SIDE = 2**16
# A focal length of a twenty-fifth of the picture's side spans 171 degrees: no pinhole does, a share of the side may.
_WIDEST = 25


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a file.

    Raises:
        InputError: no such file, larger than `max_bytes`, or not readable.
    """
    if not is_file(path):
        raise InputError(f"{path}: no such file")
    try:
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    refuse_pointer(path)
    if len(content) > max_bytes:
        raise InputError(f"{path}: larger than {max_bytes / 2**20:g} MiB; keep fewer frames or points")
    return content


def read_text(path: Path, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """The content of a text file. Raises an InputError as `read_bytes`, or if it is not text."""
    try:
        return read_bytes(path, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8") from error


def read_json(path: Path) -> Any:
    """The value in a JSON file. Raises an InputError as `read_text`, or if it is not JSON."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "a number or nesting without end"
        raise InputError(f"{path}: not JSON ({reason})") from error


def rows(path: Path, max_bytes: int = MAX_TEXT_BYTES) -> Iterator[tuple[str, list[str]]]:
    """(where, words) of every line that has words and is no `#` comment."""
    for number, line in enumerate(read_text(path, max_bytes).split("\n"), start=1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield f"{path}, line {number}", words


def floats(words: Sequence[str], where: str, largest: float = LARGEST) -> Float[np.ndarray, "n"]:
    """Words as finite numbers, up to `largest`.

    Raises:
        InputError: one is not.
    """
    try:
        values = np.array([float(word) for word in words], np.float64)
    except ValueError as error:
        raise InputError(f"{where}: {_first_bad(words)!r} is not a number") from error
    if not (np.abs(values) <= largest).all():
        raise InputError(f"{where}: numbers must be finite and within {largest:g}")
    return values


def whole(word: str, where: str, largest: int = 2**63 - 1) -> int:
    """A word as a whole number from 0 to `largest`.

    Raises:
        InputError: it is not one.
    """
    if not (word.isascii() and word.isdigit() and len(word) < 20 and int(word) <= largest):
        raise InputError(f"{where}: {word[:40]!r} must be a whole number from 0 to {largest}")
    return int(word)


def number(value: Any, where: str) -> float:
    """A JSON value as a finite number.

    Raises:
        InputError: it is not one.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        raise InputError(f"{where} must be a finite number within {LARGEST:g}, not {_shown(value)}")
    return float(value)


def matrix(value: Any, rows: int, columns: int, where: str) -> Float[np.ndarray, "rows columns"]:
    """A JSON list of lists as a matrix of finite numbers.

    Raises:
        InputError: another shape, or something in it is no number.
    """
    if not (_is_list(value, rows) and all(_is_list(row, columns) for row in value)):
        raise InputError(f"{where} must be {rows} lists of {columns} numbers")
    return np.array([[number(entry, where) for entry in row] for row in value])


def intrinsics(
    focal: tuple[float, float],
    centre: tuple[float, float],
    size: tuple[int, int],
    where: str,
    names: tuple[str, str, str, str] = ("fx", "fy", "cx", "cy"),
) -> Matrix:
    """K without skew, if a camera can have it.

    Args:
        focal: (x, y), in pixels.
        centre: the principal point (x, y), in pixels from the picture's upper left corner.
        size: (height, width).
        where: see the module.
        names: what the file calls the focal lengths and the principal point.

    Raises:
        InputError: a focal length or a size that is none, a principal point nowhere near the picture, or either as a
            share of the size.
    """
    height, width = size
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise InputError(f"{where}: {height}x{width} (height x width) is no picture's size")
    if not all(1e-3 <= value <= 1e9 for value in focal):
        raise InputError(f"{where}: focal lengths must be positive and in pixels, not {focal[0]:g} and {focal[1]:g}")
    if not all(abs(value) <= 1e9 for value in centre):
        raise InputError(f"{where}: the principal point ({centre[0]:g}, {centre[1]:g}) is not in pixels")
    if max(focal) < max(size) / _WIDEST or (min(size) > 8 and all(0 < value < 1 for value in centre)):
        raise InputError(
            f"{where}: {names[0]} {focal[0]:g} and {names[2]} {centre[0]:g} are not in pixels of a picture of "
            f"{height}x{width} (height x width); multiply {names[0]} and {names[2]} by the width, {names[1]} and "
            f"{names[3]} by the height"
        )
    return np.array([[focal[0], 0.0, centre[0]], [0.0, focal[1], centre[1]], [0.0, 0.0, 1.0]])


def from_matrix(values: Float[np.ndarray, "3 3"], size: tuple[int, int], where: str) -> Matrix:
    """K written out, if it is one without skew. Raises an InputError as `intrinsics`."""
    fixed = values[[0, 1, 2, 2, 2], [1, 0, 0, 1, 2]]
    if not (np.isfinite(values).all() and np.abs(fixed - [0, 0, 0, 0, 1]).max() < 1e-6):
        raise InputError(f"{where}: intrinsics must be fx 0 cx, 0 fy cy, 0 0 1: no skew")
    return intrinsics((values[0, 0], values[1, 1]), (values[0, 2], values[1, 2]), size, where)


def select(items: Sequence[Item], chosen: Sequence[int], where: str | os.PathLike[str]) -> list[Item]:
    """Those of a scene's cameras that are asked for, in that order; of none, all.

    Raises:
        InputError: one that is not there.
    """
    missing = [index for index in chosen if not 0 <= index < len(items)]
    if missing:
        raise InputError(f"{where} has cameras 0 to {len(items) - 1}, so there is no camera {missing[0]}")
    return [items[index] for index in chosen] or list(items)


def is_file(path: Path) -> bool:
    """Whether there is such a file; names no file system can hold are none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def names_in(text: str) -> tuple[str, ...]:
    """The folders and the name in a path, as this or another system writes it."""
    return tuple(part for part in text.replace("\\", "/").split("/") if part not in ("", "."))


def beside(folder: Path, stem: str, suffixes: Sequence[str]) -> Path | None:
    """The first of the files stem + suffix in a folder that exists."""
    return next((path for suffix in suffixes if is_file(path := folder / f"{stem}{suffix}")), None)


def check_frames(count: int, where: str | os.PathLike[str]) -> None:
    """Raise an InputError if there are no frames, or more than any scene has."""
    if count == 0:
        raise InputError(f"{where}: holds no frames")
    if count > MAX_POSES:
        raise InputError(f"{where}: {count} frames are more than the {MAX_POSES} that are read")


def _is_list(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length


def _shown(value: Any) -> str:
    # Only numbers are shown: a long list, text or integer would not fit a line.
    return f"{value}" if isinstance(value, float) and not math.isfinite(value) else f"a {type(value).__name__}"


def _first_bad(words: Sequence[str]) -> str:
    for word in words:
        try:
            float(word)
        except ValueError:
            return word[:40]
    return ""
