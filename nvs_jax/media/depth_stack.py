"""Many depth maps in one file: what geometry models write, and a video's maps as one array.

The arrays of an .npz are told by their names, whichever program wrote it. `depth` or `depths` (`disparity`,
`disparities`): [H, W], [N, H, W], or either with axes of length 1 around; `mask`: where depth is known. See
`nvs_jax.media.geometry_file` for the cameras beside them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Shaped

from nvs_jax.errors import InputError
from nvs_jax.media.fitting import Kind
from nvs_jax.media.numpy_file import Header, Stream, member_names, open_member, read_header, read_values, skip
from nvs_jax.media.photo import check_megapixels

NAMES: dict[Kind, tuple[str, ...]] = {"depth": ("depth", "depths"), "disparity": ("disparity", "disparities")}
_MASKS = ("mask", "masks")
MOST_MAPS = 100_000


class Stack(NamedTuple):
    """Where the maps of a file lie.

    Attributes:
        path: of the file.
        name: of the array in an .npz; None in an .npy.
        count: how many maps there are.
        size: rows and columns of each.
        mask: the name of the array that says where they are known; None: everywhere.
        shape: as the file has it.
    """

    path: Path
    name: str | None
    count: int
    size: tuple[int, int]
    mask: str | None
    shape: tuple[int, ...]


def open_stack(path: Path, kind: Kind, max_megapixels: int | float) -> Stack:
    """Where the maps of an .npy or .npz lie; only headers are read.

    Raises:
        InputError: no array of this kind, not numbers, too large, or another shape. Damage: see `numpy_file.DAMAGE`.
    """
    names = [] if path.suffix.lower() == ".npy" else member_names(path)
    name = None if path.suffix.lower() == ".npy" else _chosen(names, kind, path)
    with open_member(path, name) as stream:
        header = read_header(stream)
    if not header.is_sound or header.dtype.kind == "b":
        raise InputError(f"{path}: {kind} must be numbers, but the array holds {header.dtype}")
    count, size = split_shape(header.shape, kind, path)
    check_megapixels(size[1], size[0], max_megapixels, path)
    return Stack(path, name, count, size, next((mask for mask in _MASKS if mask in names), None), header.shape)


def read_maps(stack: Stack, first: int = 0) -> Iterator[Shaped[np.ndarray, "h w"]]:
    """The maps from the `first` on, one after the other, as they are stored; what a mask leaves out is 0.

    Raises:
        InputError: the file ends early, or its mask is none of these maps.
    """
    with open_member(stack.path, stack.name) as stream:
        header = _at_map(stream, stack, first)
        shape = stack.size if stack.count > 1 else stack.shape
        if stack.mask is None:
            for _ in range(first, stack.count):
                yield read_values(stream, header, stack.path, shape).reshape(stack.size)
            return
        with open_member(stack.path, stack.mask) as masked:
            masks = _masks(masked, stack, first)
            for known in masks:
                values = read_values(stream, header, stack.path, shape).reshape(stack.size)
                yield np.where(known, values, values.dtype.type(0))


def split_shape(shape: tuple[int, ...], kind: str, path: Path) -> tuple[int, tuple[int, int]]:
    """How many maps an array of this shape is, and the rows and columns of each.

    >>> split_shape((5, 294, 518, 1), "depth", Path("predictions.npz"))
    (5, (294, 518))

    Raises:
        InputError: it is none.
    """
    sides = list(shape)
    while len(sides) > 2 and 1 in (sides[0], sides[-1]):
        sides.pop(0 if sides[0] == 1 else -1)
    if len(sides) == 4 and sides[1] == 1:
        sides.pop(1)
    if not 2 <= len(sides) <= 3 or (len(sides) == 3 and sides[0] > MOST_MAPS):
        raise InputError(f"{path}: {kind} must be one number per pixel, [height, width], but the shape is {shape}")
    return (sides[0] if len(sides) == 3 else 1), (sides[-2], sides[-1])


def _chosen(names: list[str], kind: Kind, path: Path) -> str:
    """The array that holds maps of this kind."""
    other: Kind = "disparity" if kind == "depth" else "depth"
    for name in NAMES[kind]:
        if name in names:
            return name
    others = [name for name in NAMES[other] if name in names]
    if kind == "depth" and names and names == others:
        raise InputError(f"{path}: holds '{others[0]}', but {kind} was asked for; say which it is")
    # Networks' disparity is often called depth: DepthCrafter's and Video Depth Anything's are.
    chosen = names[0] if len(names) == 1 else "arr_0"
    if chosen not in names:
        raise InputError(
            f"{path}: must hold one array or one named '{kind}'; it holds {', '.join(names[:20]) or 'none'}"
        )
    return chosen


def _at_map(stream: Stream, stack: Stack, first: int) -> Header:
    header = read_header(stream)
    if header.fortran and stack.count > 1:
        raise InputError(f"{stack.path}: its maps lie across each other (Fortran's order); write it in C's order")
    skip(stream, first * stack.size[0] * stack.size[1] * header.dtype.itemsize)
    return header


def _masks(stream: Stream, stack: Stack, first: int) -> Iterator[Bool[np.ndarray, "h w"]]:
    header = read_header(stream)
    count, size = split_shape(header.shape, "mask", stack.path) if header.is_sound else (0, (0, 0))
    if size != stack.size or count not in (1, stack.count) or (header.fortran and count > 1):
        raise InputError(
            f"{stack.path}: '{stack.mask}' is {header.shape}, which are not the pixels of its maps, {stack.shape}"
        )
    shape = size if count > 1 else header.shape
    skip(stream, (first if count > 1 else 0) * size[0] * size[1] * header.dtype.itemsize)
    known = None
    for _ in range(first, stack.count):
        if known is None or count > 1:
            known = read_values(stream, header, stack.path, shape).reshape(size) != 0
        yield known
