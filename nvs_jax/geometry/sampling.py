"""Pictures between their pixels, without mixing in pixels that must not be used.

Catmull-Rom's cubic keeps what bilinear interpolation blurs, but takes 16 pixels. Here it doubles the picture once
(at half pixels it is the fixed filter -1, 9, 9, -1), and every look-up is bilinear in the doubled one: 4 pixels.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from nvs_jax.pytree import pytree


@pytree
class FinePicture:
    """A picture at twice its resolution: row 2i, column 2j is pixel (i, j).

    Attributes:
        channels: colours times weight, [3, 2H-1, 2W-1]; channels first, for each is looked up on its own: TPUs pad a
            last axis of a few channels to 128.
        weight: 1 where a colour is known, else 0.
    """

    channels: Float[Array, "c h2 w2"]
    weight: Float[Array, "h2 w2"]


def refine(picture: Float[Array, "h w c"], usable: Bool[Array, "h w"]) -> FinePicture:
    """Double a picture by the cubic where the pixels around are usable, else by what is usable."""
    weight = usable.astype(picture.dtype)
    channels = jnp.moveaxis(picture, -1, 0) * weight
    for axis in (0, 1):
        channels, weight = _double(channels, weight, axis)
    return FinePicture(channels, weight)


def _double(
    channels: Float[Array, "c h w"], weight: Float[Array, "h w"], axis: int
) -> tuple[Float[Array, "c h2 w2"], Float[Array, "h2 w2"]]:
    """Insert a value between each two along an axis. Unusable values are 0."""
    size = weight.shape[axis]

    def at(x: Array, first: int) -> Array:
        """The values `first` places after the left one of each pair; the border repeats."""
        along = x.ndim + axis - 2
        ends = [(0, 0)] * x.ndim
        ends[along] = (1, 1)
        return lax.slice_in_dim(jnp.pad(x, ends, mode="edge"), 1 + first, first + size, axis=along)

    outer, inner = at(weight, -1) * at(weight, 2), at(weight, 0) + at(weight, 1)
    cubic = (9 * (at(channels, 0) + at(channels, 1)) - at(channels, -1) - at(channels, 2)) / 16
    linear = (at(channels, 0) + at(channels, 1)) / jnp.maximum(inner, 1)
    between = jnp.where((outer > 0) & (inner > 1), cubic, linear)
    return _interleave(channels, between, axis), _interleave(weight, jnp.minimum(inner, 1), axis)


def _interleave(whole: Array, half: Array, axis: int) -> Array:
    """whole[0], half[0], whole[1], ... along an axis of the last two."""
    axis -= 2
    end = [(0, 0)] * whole.ndim
    end[axis] = (0, 1)
    both = jnp.stack([whole, jnp.pad(half, end)], axis=whole.ndim + axis + 1)
    shape = list(whole.shape)
    shape[axis] *= 2
    return lax.slice_in_dim(both.reshape(shape), 0, shape[axis] - 1, axis=whole.ndim + axis)


def sample(
    fine: FinePicture, x: Float[Array, "h w"], y: Float[Array, "h w"]
) -> tuple[Float[Array, "c h w"], Float[Array, "h w"]]:
    """Colours at positions in pixels of the original picture, and how much of each is known, from 0 to 1.

    Positions outside are moved to the border. Differentiable in colours and positions; the derivative by position
    jumps at whole and half pixels.
    """
    height, width = fine.weight.shape
    x, y = jnp.clip(2 * x, 0, width - 1), jnp.clip(2 * y, 0, height - 1)
    left, top = jnp.clip(jnp.floor(x), 0, max(width - 2, 0)), jnp.clip(jnp.floor(y), 0, max(height - 2, 0))
    across, down = x - left, y - top
    corner = top.astype(jnp.int32) * width + left.astype(jnp.int32)
    right, below = int(width > 1), width * int(height > 1)

    def look_up(values: Float[Array, "h2 w2"]) -> Float[Array, "h w"]:
        upper_left, upper_right, lower_left, lower_right = (
            values.reshape(-1).at[corner + step].get(mode="promise_in_bounds")
            for step in (0, right, below, below + right)
        )
        upper = (1 - across) * upper_left + across * upper_right
        lower = (1 - across) * lower_left + across * lower_right
        return (1 - down) * upper + down * lower

    # One channel after the other: XLA's CPU compiler makes a slow program of more than a few look-ups together.
    sums = lax.map(look_up, jnp.concatenate([fine.channels, fine.weight[None]]))
    known = sums[-1]
    return sums[:-1] / jnp.where(known > 0, known, 1), known
