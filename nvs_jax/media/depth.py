"""Reading a depth or disparity map: .npy, .npz, .exr, .pfm, 16-bit .png or COLMAP's .bin become [H, W] float32.

Files come from strangers: sizes are checked against the header before memory is taken, and nothing is unpickled.
"""

import os
import re
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from nvs_jax.disk.files import refuse_pointer
from nvs_jax.errors import InputError
from nvs_jax.media.dense_map import read_dense_map
from nvs_jax.media.depth_stack import open_stack, read_maps
from nvs_jax.media.exr import read_exr
from nvs_jax.media.fitting import Kind, Placement, fit_depth
from nvs_jax.media.numpy_file import reading
from nvs_jax.media.photo import MAX_MEGAPIXELS, check_megapixels, open_picture

DepthMap = Float[np.ndarray, "_ _"]

DEPTH_SUFFIXES = frozenset({".npy", ".npz", ".exr", ".pfm", ".png", ".bin"})

_PFM_HEADER = re.compile(rb"P([Ff])\s+(\d{1,9})\s+(\d{1,9})\s+(\S{1,32})[ \t\r]*\n")


def read_depth(
    path: str | os.PathLike[str],
    kind: Kind,
    *,
    png_scale: int | float = 1000,
    max_megapixels: int | float = MAX_MEGAPIXELS,
    index: int | None = None,
) -> DepthMap:
    """Read a depth map (z, along the camera's axis, in scene units) or a disparity map (its inverse, any scale).

    Zeros are kept: of depth they are unknown (many sensors mark pixels without a measurement by them), of disparity
    infinitely far. What cannot be right is refused.

    Args:
        path: .npy; .npz with one array, or with one named as `kind`, whose `mask`, if it has one, says where it is
            known; .exr of one channel, in which what is not finite is unknown; .pfm (rows bottom-up; the sign of its
            scale gives the byte order, its size is ignored, as everyone does); greyscale .png of 16 bits; .bin, a dense
            map of COLMAP.
        kind: what the file holds. A .png of depth is divided by `png_scale`; disparities are taken as they are.
        png_scale: steps per scene unit of a .png: 1000 for millimetres.
        max_megapixels: larger maps are refused from their header.
        index: which map of an .npy or .npz of several; None: it must have one.

    Raises:
        InputError: no such file, damaged, too large, not two-dimensional, not finite, negative, or zero everywhere.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    refuse_pointer(path)
    suffix = path.suffix.lower()
    readers = {".exr": read_exr, ".pfm": _read_pfm, ".png": _read_png, ".bin": _read_bin}
    if suffix not in DEPTH_SUFFIXES:
        raise InputError(f"{path}: {kind} must be a .npy, .npz, .exr, .pfm or 16-bit .png file, or a .bin of COLMAP's")
    with reading(path, f"the {kind} file"):
        if suffix in (".npy", ".npz"):
            values = _read_array(path, kind, max_megapixels, index)
        else:
            values = readers[suffix](path, kind, max_megapixels)
    if suffix == ".png" and kind == "depth":
        values = values / png_scale
    return check_depth(values, kind, path)


def check_depth(values: Shaped[np.ndarray, "..."], kind: Kind, name: str | os.PathLike[str]) -> DepthMap:
    """`values` as a float32 map [H, W], if they can be one; axes of size 1 around it are dropped.

    Raises:
        InputError: see `read_depth`.
    """
    shape = values.shape
    if values.ndim == 3 and 1 in (shape[0], shape[-1]):
        values = values[..., 0] if shape[-1] == 1 else values[0]
    if values.ndim != 2 or not values.size:
        raise InputError(f"{name}: {kind} must be one number per pixel, [height, width], but the shape is {shape}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    bad = values.size - int(np.isfinite(values).sum())
    if bad:
        zero = "0 where depth is unknown" if kind == "depth" else "0 where it is infinitely far, as the sky is"
        raise InputError(f"{name}: {bad} of {values.size} {kind} values are not finite; write {zero}")
    if values.min() < 0:
        hint = "; depth along a negative axis needs its sign turned" if kind == "depth" else ""
        raise InputError(f"{name}: {int((values < 0).sum())} {kind} values are negative{hint}")
    if not values.any():
        raise InputError(f"{name}: the {kind} is zero everywhere; was it written before it was computed?")
    return values


def match_depth(
    depth: DepthMap, picture_shape: tuple[int, ...], *, name: str = "depth", tolerance: float | None = 0.01
) -> DepthMap:
    """The depth map at its picture's size, if the shapes agree: the pixel at floor(i s), as the release.

    Args:
        depth: [h, w], or disparity.
        picture_shape: the picture's shape, (height, width, ...).
        name: what errors call the map.
        tolerance: see `check_shape`.

    Raises:
        InputError: see `check_shape`.
    """
    check_shape(depth, picture_shape, name=name, tolerance=tolerance)
    height, width = picture_shape[:2]
    return fit_depth(
        depth, Placement("resize", height, width, width / depth.shape[1], height / depth.shape[0]), "depth"
    )


def check_shape(
    depth: DepthMap, picture_shape: tuple[int, ...], *, name: str = "depth", tolerance: float | None = 0.01
) -> None:
    """Check that a map has its picture's shape, whatever its size.

    Args:
        depth: [h, w], or disparity.
        picture_shape: the picture's shape, (height, width, ...).
        name: what errors call the map.
        tolerance: largest relative difference of the aspect ratios; None allows any, as the release does.

    Raises:
        InputError: the aspect ratios differ by more than `tolerance`.
    """
    height, width = picture_shape[:2]
    ours, theirs = depth.shape[1] / depth.shape[0], width / height
    if tolerance is not None and abs(ours / theirs - 1) > tolerance:
        raise InputError(
            f"{name}: {depth.shape[0]}x{depth.shape[1]} (height x width) is not the shape of its picture, "
            f"{height}x{width}; compute it from the same picture, uncropped"
        )


def _read_array(path: Path, kind: Kind, max_megapixels: int | float, index: int | None) -> Shaped[np.ndarray, "h w"]:
    stack = open_stack(path, kind, max_megapixels)
    if index is None and stack.count > 1:
        raise InputError(
            f"{path}: {kind} must be one number per pixel, [height, width], but the shape is {stack.shape}; maps of "
            "several pictures are for `nvs-jax views` and `nvs-jax video`"
        )
    if not 0 <= (index or 0) < stack.count:
        raise InputError(f"{path}: holds {stack.count} maps, so there is no map {index}")
    return next(read_maps(stack, index or 0))


def _read_pfm(path: Path, kind: Kind, max_megapixels: int | float) -> Shaped[np.ndarray, "..."]:
    with path.open("rb") as stream:
        header = _PFM_HEADER.match(stream.read(100))
        if header is None:
            raise InputError(f"{path}: not a .pfm file: it must begin with 'Pf', the size and the scale")
        colour, width, height = header[1] == b"F", int(header[2]), int(header[3])
        if colour:
            raise InputError(f"{path}: a colour .pfm; {kind} needs one number per pixel ('Pf')")
        check_megapixels(width, height, max_megapixels, path)
        scale = float(header[4])
        if not (np.isfinite(scale) and scale):
            raise InputError(f"{path}: the scale in the .pfm header must be positive (big-endian) or negative (little)")
        stream.seek(header.end())
        values = stream.read(4 * width * height)
    if len(values) < 4 * width * height:
        raise InputError(f"{path}: the file ends early; write it again")
    return np.frombuffer(values, "<f4" if scale < 0 else ">f4").reshape(height, width)[::-1]


def _read_bin(path: Path, kind: Kind, max_megapixels: int | float) -> Shaped[np.ndarray, "..."]:
    return read_dense_map(path, max_megapixels)


def _read_png(path: Path, kind: Kind, max_megapixels: int | float) -> Shaped[np.ndarray, "..."]:
    image = open_picture(path, max_megapixels)
    if image.format != "PNG" or not image.mode.startswith("I"):
        raise InputError(f"{path}: {kind} as a picture must be a greyscale PNG of 16 bits; save it so, or as .npy")
    return np.asarray(image)
