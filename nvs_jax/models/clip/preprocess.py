"""From a picture to the pixels the image encoder sees: bicubic resize, after a blur against aliasing or not; normalise.

Blur and resize are linear and act on rows and columns separately, so that each axis is one matrix, built with numpy
when the function is traced: the whole step is two matrix products.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.errors import InputError

# Mean and standard deviation of CLIP's training pictures, red, green, blue.
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@functools.partial(jax.jit, static_argnames=("image_size", "plain"))
def preprocess(
    picture: Float[Array, "*b H W 3"], image_size: int = 224, *, plain: bool = False
) -> Float[Array, "*b s s 3"]:
    """The image encoder's pixels of a picture, as SVD and the release compute them, or as Wan does.

    The picture is squeezed to a square (its aspect is not kept), blurred before it is shrunk, and interpolated by a
    cubic with corners aligned. Values overshoot at edges; they are not clamped.

    Args:
        picture: values in [0, 1], any size from 2 pixels a side.
        image_size: rows and columns of the result: `ImageEncoderConfig.image_size`.
        plain: without the blur, and with the pictures' borders aligned in place of the middles of their corners.

    Returns:
        Pixels normalised by CLIP's mean and standard deviation.

    Raises:
        InputError: the picture is one pixel high or wide.

    >>> grey = jnp.full((30, 50, 3), 0.5)
    >>> (preprocess(grey, 14)[0, 0] * jnp.array(CLIP_STD) + jnp.array(CLIP_MEAN)).round(5).tolist()
    [0.5, 0.5, 0.5]
    """
    *_, height, width, _ = picture.shape
    # The release works on [-1, 1]: with matrices whose rows sum to 1 the offset passes through, but for rounding.
    resized = jnp.einsum(
        "ih,...hwc,jw->...ijc",
        resize_matrix(height, image_size, plain),
        picture * 2 - 1,
        resize_matrix(width, image_size, plain),
        precision=jax.lax.Precision.HIGHEST,
    )
    return ((resized + 1) / 2 - jnp.array(CLIP_MEAN)) / jnp.array(CLIP_STD)


@functools.lru_cache(maxsize=8)
def resize_matrix(size: int, new_size: int, plain: bool = False) -> Float[np.ndarray, "new_size size"]:
    """Blur against aliasing, then cubic interpolation, along one axis.

    Args:
        size: samples along the axis, at least 2.
        new_size: samples wanted.
        plain: see `preprocess`.

    Raises:
        InputError: `size` is 1: the blur reflects the picture at its border and needs a neighbour.
    """
    if size < 2:
        raise InputError("the picture is one pixel high or wide; hand in a picture of at least 2x2 pixels")
    if plain:
        return _cubic_matrix(size, (np.arange(new_size) + 0.5) * size / new_size - 0.5).astype(np.float32)
    return (_cubic_matrix(size, np.linspace(0, size - 1, new_size)) @ _blur_matrix(size, size / new_size)).astype(
        np.float32
    )


def _blur_matrix(size: int, factor: float) -> Float[np.ndarray, "size size"]:
    """Gaussian blur of width (factor - 1)/2 samples, the axis reflected at its ends (the end samples not repeated)."""
    sigma = max((factor - 1) / 2, 0.001)
    radius = int(max(4 * sigma, 3)) // 2
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    taps = np.abs(np.arange(size)[:, None] + offsets)  # reflected at the first sample
    taps = (size - 1) - np.abs((size - 1) - taps)  # and at the last
    return _scatter(taps, np.broadcast_to(kernel / kernel.sum(), taps.shape), size)


def _cubic_matrix(size: int, position: Float[np.ndarray, "new_size"]) -> Float[np.ndarray, "new_size size"]:
    """Cubic convolution with a = -0.75 at positions between samples, of which those at the ends go on outwards."""
    first = np.floor(position).astype(int) - 1
    taps = first[:, None] + np.arange(4)
    return _scatter(np.clip(taps, 0, size - 1), _cubic(np.abs(position[:, None] - taps)), size)


def _cubic(distance: np.ndarray, a: float = -0.75) -> np.ndarray:
    """Keys' cubic convolution kernel (1981) at distances of at most 2 samples."""
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)


def _scatter(taps: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """The matrix whose row i holds weights[i, k] at column taps[i, k]; repeated columns add up."""
    matrix = np.zeros((len(taps), size))
    np.add.at(matrix, (np.arange(len(taps))[:, None], taps), weights)
    return matrix
