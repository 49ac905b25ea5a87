"""Masks of pixels."""

from jax import lax
from jaxtyping import Array, Bool

from nvs_jax.errors import InputError


def dilate(mask: Bool[Array, "h w"], size: int) -> Bool[Array, "h w"]:
    """Grow what is True by a square of `size` pixels; outside the picture nothing is True.

    Args:
        mask: pixels.
        size: side of the square, odd; 1 leaves the mask as it is. The release grows holes by 5.

    Raises:
        InputError: `size` is even or less than 1.
    """
    if size < 1 or size % 2 == 0:
        raise InputError(f"a mask is dilated by an odd number of pixels, 1 or more, not by {size}")
    # A square is a row of a column: 2 size comparisons a pixel instead of size^2.
    for window in ((size, 1), (1, size)):
        mask = lax.reduce_window(mask, False, lax.bitwise_or, window, (1, 1), "SAME")
    return mask
