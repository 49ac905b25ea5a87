"""Rotary embeddings of where a token is in a video: its frame, row and column."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.pytree import pytree, static

MAX_PERIOD = 10_000


@pytree
class Rotation:
    """Cosine and sine of the angle by which each pair of channels is turned, of tokens in order.

    Attributes:
        cos: of each token.
        sin: of each token.
        tokens: how many are a video's; those that follow are padding.
    """

    cos: Float[Array, "n d"]
    sin: Float[Array, "n d"]
    tokens: int = static()

    def __call__(self, x: Float[Array, "b n heads channels"]) -> Float[Array, "b n heads channels"]:
        """Turn channels 0 and 1, 2 and 3, ... of every head, in float32."""
        pairs = x.astype(jnp.promote_types(x.dtype, jnp.float32)).reshape(*x.shape[:-1], -1, 2)
        a, b = pairs[..., 0], pairs[..., 1]
        cos, sin = self.cos[:, None], self.sin[:, None]
        return jnp.stack([a * cos - b * sin, a * sin + b * cos], -1).reshape(x.shape).astype(x.dtype)


def rotation(frames: int, rows: int, columns: int, channels: int) -> Rotation:
    """Of the tokens of a video, frame by frame and row by row.

    A third of the pairs of channels tell rows, a third columns, the rest (two more, of 128 channels) frames.

    Args:
        frames: of tokens.
        rows: of tokens.
        columns: of tokens.
        channels: of a head.

    >>> rotation(2, 3, 4, 128).cos.shape
    (24, 64)
    """
    across = 2 * (channels // 6)
    widths = (channels - 2 * across, across, across)
    grids = np.meshgrid(*map(np.arange, (frames, rows, columns)), indexing="ij")
    angles = np.concatenate(
        [grid.reshape(-1, 1) * _frequencies(width) for grid, width in zip(grids, widths, strict=True)], 1
    )
    return Rotation(jnp.asarray(np.cos(angles), jnp.float32), jnp.asarray(np.sin(angles), jnp.float32), len(angles))


def _frequencies(width: int) -> np.ndarray:
    """1 ... 1/10000, one a pair of channels, in float64: as float32, angles of far tokens would be off."""
    return MAX_PERIOD ** -(np.arange(0, width, 2) / width)
