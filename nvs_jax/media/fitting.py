"""Making a photo fit the size the model wants, and taking depth and intrinsics along.

Positions are continuous, in pixels, with (0, 0) the picture's upper left *corner*, so that a picture of width w spans
[0, w] and a scaling is a plain product: `x_out = scale * x_in + offset`.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt8
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media.photo import Picture, as_float

How = Literal["resize", "crop", "pad"]
Kind = Literal["depth", "disparity"]
"""Distance along the camera's axis, or its inverse up to scale (and, of an estimate, shift)."""
Bytes = UInt8[np.ndarray, "_ _ 3"]

_SURFACE = 0.1  # neighbouring pixels whose 1/z differ by more than this share lie on different surfaces
_FAR = 0.1  # of disparity, whose shift may be unknown: the share is of no less than this share of the map's nearest


@dataclass(frozen=True)
class Placement:
    """Where a source picture lies in an output picture of height x width: `x_out = scale_x * x_in + offset_x`.

    Attributes:
        how: "resize" stretches the whole picture to the output; "crop" covers the output and cuts what sticks out;
            "pad" shows the whole picture and repeats its edges around it.
        height: of the output, in pixels.
        width: of the output, in pixels.
        scale_x: output pixels per source pixel.
        scale_y: output pixels per source pixel.
        offset_x: x of the source's left edge in the output; negative where "crop" cuts.
        offset_y: y of the source's upper edge in the output.
    """

    how: How
    height: int
    width: int
    scale_x: float
    scale_y: float
    offset_x: float = 0.0
    offset_y: float = 0.0

    def points(self, xy: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Where source positions (x, y) lie in the output."""
        return (xy * [self.scale_x, self.scale_y] + [self.offset_x, self.offset_y]).astype(xy.dtype)

    def of_resolution(self, size: tuple[int, int], other: tuple[int, int]) -> "Placement":
        """The same for a source of `other` rows and columns that shows what one of `size` does, such as its depth."""
        scale_y, scale_x = self.scale_y * size[0] / other[0], self.scale_x * size[1] / other[1]
        return replace(self, scale_x=scale_x, scale_y=scale_y)

    def intrinsics(self, K: Float[np.ndarray, "*n 3 3"]) -> Float[np.ndarray, "*n 3 3"]:
        """Intrinsics of the output's camera, given the source's."""
        affine = [[self.scale_x, 0, self.offset_x], [0, self.scale_y, self.offset_y], [0, 0, 1]]
        return (np.array(affine) @ K).astype(K.dtype)


def placement_of(size: tuple[int, int], height: int, width: int, how: How) -> Placement:
    """How a picture of `size` (height, width) is laid into height x width.

    >>> placement_of((100, 100), 64, 128, "crop")
    Placement(how='crop', height=64, width=128, scale_x=1.28, scale_y=1.28, offset_x=0.0, offset_y=-32.0)
    """
    scale_y, scale_x = height / size[0], width / size[1]
    if how == "resize":
        return Placement(how, height, width, scale_x, scale_y)
    if how == "crop":
        scale = max(scale_x, scale_y)
        return Placement(
            how, height, width, scale, scale, (width - scale * size[1]) / 2, (height - scale * size[0]) / 2
        )
    # The shown part is a whole number of pixels, so the edge that is repeated is the picture's own.
    scale = min(scale_x, scale_y)
    shown_y, shown_x = max(1, round(scale * size[0])), max(1, round(scale * size[1]))
    left, top = (width - shown_x) // 2, (height - shown_y) // 2
    return Placement(how, height, width, shown_x / size[1], shown_y / size[0], float(left), float(top))


def fit(picture: Picture | Bytes, height: int, width: int, how: How) -> tuple[Picture, Placement]:
    """Lay a picture into height x width; see `Placement` for the three ways.

    "resize" takes the nearest pixel, at floor((i + 1/2) s), as the release; the other two resample with Lanczos.

    Args:
        picture: in [0, 1], or as bytes, which take less memory.
        height: of the result, in pixels.
        width: of the result, in pixels.
        how: see `Placement`.

    Returns:
        the picture [height, width, 3] in [0, 1], and where the source lies in it.
    """
    plan = placement_of((picture.shape[0], picture.shape[1]), height, width, how)
    if how == "resize":
        return as_float(_nearest(picture, plan, 0.5)), plan
    if how == "crop":
        # At least 0: rounding can leave the picture by 1e-15, which the filter refuses.
        left, top = max(0.0, -plan.offset_x / plan.scale_x), max(0.0, -plan.offset_y / plan.scale_y)
        return _lanczos(picture, width, height, left, top), plan
    top, left = int(plan.offset_y), int(plan.offset_x)
    shown_y, shown_x = round(plan.scale_y * picture.shape[0]), round(plan.scale_x * picture.shape[1])
    shown = _lanczos(picture, shown_x, shown_y, 0.0, 0.0)
    around = ((top, height - shown_y - top), (left, width - shown_x - left), (0, 0))
    return np.pad(shown, around, mode="edge"), plan


def fit_depth(values: Float[np.ndarray, "h w"], plan: Placement, kind: Kind) -> Float[np.ndarray, "out_h out_w"]:
    """Take a map of depth or disparity, of the source picture's size, along.

    "resize" reads the pixel at floor(i s), as the release. The other two read at the output pixel's centre, like the
    picture, and interpolate 1/z, which is linear on a plane, within a surface. Across an edge they take the nearest
    pixel, as depths there must not be mixed.

    Args:
        values: of depth, those that are not positive and finite are unknown: they stay as they are, and what is around
            them is not mixed with them. Of disparity all are known, and 0 is infinitely far.
        plan: where the picture lies in the output.
        kind: what the map holds.
    """
    return _nearest(values, plan, 0.0) if plan.how == "resize" else _within_surfaces(values, plan, kind)


def allowed_size(height: int, width: int, stride: int = 64) -> tuple[int, int]:
    """The nearest size, not larger, whose sides are multiples of `stride` (the VAE's times the UNet's).

    >>> allowed_size(1080, 1920)
    (1024, 1920)

    Raises:
        InputError: a side is smaller than `stride`.
    """
    if min(height, width) < stride:
        raise InputError(f"{height}x{width} (height x width) is too small; each side must be at least {stride} pixels")
    return height // stride * stride, width // stride * stride


def _within_surfaces(values: Float[np.ndarray, "h w"], plan: Placement, kind: Kind) -> Float[np.ndarray, "out_h out_w"]:
    """Bilinear in 1/z where the pixels around are known and one surface; else the nearest."""
    nearest = _nearest(values, plan, 0.5)
    inverse, known = _inverse(values, kind)
    rows, down = _taps(values.shape[0], plan.offset_y, plan.scale_y, plan.height)
    columns, across = _taps(values.shape[1], plan.offset_x, plan.scale_x, plan.width)
    corners = np.stack([inverse[row[:, None], column] for row in rows for column in columns])
    there = np.stack([known[row[:, None], column] for row in rows for column in columns])
    nearby, farther = np.where(there, corners, 0).max(0), np.where(there, corners, np.inf).min(0)
    least = _FAR * np.percentile(inverse, 99) if kind == "disparity" else 0.0
    mixable = (there.sum(0) >= 3) & (nearby - farther <= _SURFACE * np.maximum(nearby, least))
    mixable &= np.isfinite(nearest) & (nearest > 0) if kind == "depth" else True
    corners = _parallelogram(corners, there)
    upper = corners[0] + across * (corners[1] - corners[0])
    lower = corners[2] + across * (corners[3] - corners[2])
    mixed = upper + down[:, None] * (lower - upper)
    if kind == "depth":
        mixed = 1 / np.where(mixable, mixed, 1)
    return np.where(mixable, mixed, nearest).astype(values.dtype)


def _inverse(values: Float[np.ndarray, "h w"], kind: Kind) -> tuple[Float[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """1/z, up to the scale of a disparity, and where it is known; 0 elsewhere."""
    known = np.isfinite(values) & (values >= 0 if kind == "disparity" else values > 0)
    kept = np.where(known, values, 0 if kind == "disparity" else np.inf).astype(np.float64)
    return kept if kind == "disparity" else 1 / kept, known


def _taps(
    size: int, offset: float, scale: float, length: int
) -> tuple[tuple[Int[np.ndarray, "n"], Int[np.ndarray, "n"]], Float[np.ndarray, "n"]]:
    """The source pixels before and after every output pixel's centre, along one axis, and the share of the later."""
    position = np.clip((np.arange(length) + 0.5 - offset) / scale - 0.5, 0, size - 1)
    position = np.where(np.abs(position - np.rint(position)) < 1e-9, np.rint(position), position)
    first = np.minimum(np.floor(position).astype(int), max(size - 2, 0))
    return (first, np.minimum(first + 1, size - 1)), position - first


def _parallelogram(corners: Float[np.ndarray, "4 h w"], known: Bool[np.ndarray, "4 h w"]) -> Float[np.ndarray, "4 h w"]:
    """The four corners, where one of them is unknown completed as those of a plane."""
    total = corners[0] + corners[3] - corners[1] - corners[2]  # 0 on a plane
    sign = np.array([1, -1, -1, 1])[:, None, None]
    return np.where(known, corners, corners - sign * total)


def _nearest(
    source: Shaped[np.ndarray, "h w *c"], plan: Placement, centre: float
) -> Shaped[np.ndarray, "out_h out_w *c"]:
    """The source at floor of the source position of output index i + `centre`; its edge beyond that."""
    y = (np.arange(plan.height) + centre - plan.offset_y) / plan.scale_y
    x = (np.arange(plan.width) + centre - plan.offset_x) / plan.scale_x
    # Rounding must not push a position that is an integer in exact arithmetic below it.
    rows = np.clip(np.floor(y + 1e-9).astype(int), 0, source.shape[0] - 1)
    columns = np.clip(np.floor(x + 1e-9).astype(int), 0, source.shape[1] - 1)
    return source[rows[:, None], columns]


def _lanczos(picture: Picture | Bytes, width: int, height: int, left: float, top: float) -> Picture:
    """The picture between (left, top) and its mirror image, resampled; overshoot at edges is clipped to [0, 1]."""
    box = (left, top, picture.shape[1] - left, picture.shape[0] - top)
    channels = [
        Image.fromarray(as_float(np.ascontiguousarray(channel))).resize((width, height), Image.Resampling.LANCZOS, box)
        for channel in np.moveaxis(picture, -1, 0)
    ]
    return np.clip(np.stack([np.asarray(channel) for channel in channels], axis=-1), 0, 1)
