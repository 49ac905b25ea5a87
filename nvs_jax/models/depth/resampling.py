"""Pictures and features at another size, as PyTorch's `interpolate` computes it: a few neighbours, weighted.

One function for numpy and for JAX: what a network does inside a program is also done to its results outside, where a
new picture size must not compile anything.
"""

import functools
import operator
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import Array, Float, Int

Values = TypeVar("Values", Array, np.ndarray)
Kind = Literal["bilinear", "bicubic"]

_CUBIC = -0.75  # PyTorch's choice of the kernel's one parameter


def resize(x: Values, size: tuple[int, int], kind: Kind) -> Values:
    """Resample the rows and columns of `x`, [n, h, w, c], to `size`.

    Args:
        x: pictures or features.
        size: rows and columns of the result.
        kind: "bilinear" with the corners' centres aligned (`align_corners=True`); "bicubic" with the corners' corners
            aligned (`align_corners=False`) and no antialiasing.
    """
    for axis, count in ((1, size[0]), (2, size[1])):
        if x.shape[axis] != count:
            x = _resize_axis(x, axis, count, kind)
    return x


def _resize_axis(x: Values, axis: int, count: int, kind: Kind) -> Values:
    indices, weights = (_linear if kind == "bilinear" else _cubic)(x.shape[axis], count)
    shape = [1] * x.ndim
    shape[axis] = count
    parts = [
        x.take(index, axis=axis, mode="clip") * weight.reshape(shape).astype(x.dtype)
        for index, weight in zip(indices, weights, strict=True)
    ]
    return functools.reduce(operator.add, parts)


def _linear(size: int, count: int) -> tuple[Int[np.ndarray, "2 n"], Float[np.ndarray, "2 n"]]:
    """Neighbours and their weights. Positions are rounded to float32 as PyTorch does."""
    step = np.float32((size - 1) / (count - 1) if count > 1 else 0)
    position = np.arange(count, dtype=np.float32) * step
    first = np.minimum(position.astype(np.int32), size - 1)
    part = position - first.astype(np.float32)
    return np.stack([first, np.minimum(first + 1, size - 1)]), np.stack([1 - part, part])


def _cubic(size: int, count: int) -> tuple[Int[np.ndarray, "4 n"], Float[np.ndarray, "4 n"]]:
    """The same for cubic convolution, which repeats the outermost values."""
    step = np.float32(size / count)
    position = (np.arange(count, dtype=np.float32) + np.float32(0.5)) * step - np.float32(0.5)
    first = np.floor(position)
    part = (position - first).astype(np.float64)
    offsets = np.arange(-1, 3)[:, None]
    indices = np.clip(first.astype(np.int32) + offsets, 0, size - 1)
    return indices, _cubic_kernel(np.abs(part - offsets)).astype(np.float32)


def _cubic_kernel(distance: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Keys' cubic convolution kernel."""
    near = ((_CUBIC + 2) * distance - (_CUBIC + 3)) * distance**2 + 1
    far = _CUBIC * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)
