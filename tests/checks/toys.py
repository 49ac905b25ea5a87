"""A codec, a denoiser and an image encoder that are sound, small enough to see that they are."""

import jax
import jax.numpy as jnp

from nvs_jax.pytree import pytree, static
from tests.diffusion.toys import AveragingCodec


@pytree
class BlockCodec(AveragingCodec):
    """Loses nothing: the 2x2 pixels of a cell are its channels, in units in which latents are about 1."""

    temporal_stride: int = static(default=1)

    def latent_shape(self, frames, height, width):
        return frames, height // 2, width // 2, 12

    def encode(self, pictures):
        n, h, w, c = pictures.shape
        cells = pictures.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5)
        return 4 * cells.reshape(n, h // 2, w // 2, 4 * c) - 2

    def decode(self, latents):
        b, f, h, w, _ = latents.shape
        cells = ((latents + 2) / 4).reshape(b, f, h, w, 2, 2, 3).transpose(0, 1, 2, 4, 3, 5, 6)
        return cells.reshape(b, f, 2 * h, 2 * w, 3)

    def pool_frames(self, values):
        return values


def clip(frames=5, height=16, width=24):
    """A smooth wave that moves."""
    time, y, x, channel = jnp.meshgrid(*(jnp.arange(n, dtype=float) for n in (frames, height, width, 3)), indexing="ij")
    return 0.5 + 0.4 * jnp.sin(0.9 * x + 0.2 * y + 0.3 * time + 2 * channel)


def thumbnail(picture):
    """An embedding of the coarse layout of a picture, as differences from its mean colour, and that colour."""
    small = jax.image.resize(picture, (4, 4, 3), "linear")
    colour = picture.mean((0, 1))
    return jnp.concatenate([(small - colour).ravel(), 4 * (colour - colour.mean())])
