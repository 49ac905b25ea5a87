"""Wan's VAE as the solver's codec: videos in [0, 1] to latents of unit variance, and back."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from nvs_jax.models.cells import hidden_cells, hole_cells
from nvs_jax.models.wan.config import VAEConfig
from nvs_jax.models.wan.vae.network import VAE
from nvs_jax.models.weights import Weights, bind
from nvs_jax.pytree import pytree, static


@pytree
class WanCodec:
    """Encodes a video as a whole: of frames after the first, four share a latent, which knows the frames before it.

    Attributes:
        weights: the VAE's.
        config: the VAE's.
        decode_dtype: what the VAE decodes in.
    """

    weights: Weights
    config: VAEConfig = static()
    decode_dtype: str = static(default="float32")

    def encode(self, pictures: Float[Array, "n H W 3"]) -> Float[Array, "f h w c"]:
        """Latents of a video of 1 + 4 k pictures, less their published means and over their deviations."""
        latents = bind(VAE(self.config), self.weights).encode(2 * pictures[None] - 1)[0]
        return (latents - self._mean) / self._deviation

    def decode(self, latents: Float[Array, "b f h w c"]) -> Float[Array, "b n H W 3"]:
        """Frames in [0, 1]."""
        unscaled = (latents * self._deviation + self._mean).astype(self.decode_dtype)
        frames = bind(VAE(self.config), self.weights).decode(unscaled).astype(latents.dtype)
        return jnp.clip(frames / 2 + 0.5, 0.0, 1.0)

    def pool_mask(self, mask: Bool[Array, "n H W"]) -> Bool[Array, "f h w"]:
        """Cells of which, in any of their frames, at least a fifth of the pixels are True."""
        return self._largest(hole_cells(mask, self.config.stride))

    def pool_visible(self, visible: Float[Array, "n H W"]) -> Float[Array, "f h w"]:
        """`pool_mask` without yes or no: 1 where nothing is hidden in any of its frames, a half where a fifth is."""
        return 1 - self._largest(hidden_cells(visible, self.config.stride))

    def pool_frames(self, values: Float[Array, "n"]) -> Float[Array, "f"]:
        """The largest of each latent's frames: how far it is from what is given is how far its farthest frame is."""
        return self._largest(values)

    def _largest(self, values: Shaped[Array, "n *size"]) -> Shaped[Array, "f *size"]:
        rest = values[1:].reshape(-1, self.config.frame_step, *values.shape[1:])
        return jnp.concatenate([values[:1], rest.max(1)])

    @property
    def _mean(self) -> Float[Array, "c"]:
        return jnp.array(self.config.latents_mean, jnp.float32)

    @property
    def _deviation(self) -> Float[Array, "c"]:
        return jnp.array(self.config.latents_std, jnp.float32)
