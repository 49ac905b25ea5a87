"""Denoisers and a codec simple enough that their answers are known."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.pytree import pytree
from nvs_jax.windows import Window


@pytree
class GaussianDenoiser:
    """The exact denoiser of data N(mean, spread^2), and the exact solution of its probability-flow ODE."""

    mean: Float[Array, "b f h w c"]
    spread: float = 0.5

    def __call__(self, x, sigma):
        return (sigma**2 * self.mean + self.spread**2 * x) / (self.spread**2 + sigma**2)

    probe = __call__

    def window(self, window: Window) -> "GaussianDenoiser":
        return GaussianDenoiser(window.crop(self.mean), self.spread)

    def solution(self, x, sigma, sigma_next):
        """Where the ODE takes x from sigma to sigma_next."""
        shrink = jnp.sqrt((self.spread**2 + sigma_next**2) / (self.spread**2 + sigma**2))
        return self.mean + (x - self.mean) * shrink


@pytree
class FlowMatchingDenoiser:
    """A rectified-flow model behind EDM's convention: sigma = t / (1 - t), x_edm = x_t / (1 - t), x0 = x_t - t v.

    Its velocity is that of Gaussian data, so it must agree with `GaussianDenoiser`.
    """

    mean: Float[Array, "b f h w c"]
    spread: float = 0.5

    def velocity(self, x_t, t):
        """E[noise - x0 | x_t] for x_t = (1 - t) x0 + t noise."""
        variance = (1 - t) ** 2 * self.spread**2 + t**2
        innovation = (x_t - (1 - t) * self.mean) / variance
        return t * innovation - (self.mean + (1 - t) * self.spread**2 * innovation)

    def __call__(self, x, sigma):
        t = sigma / (1 + sigma)
        x_t = x * (1 - t)
        return x_t - t * self.velocity(x_t, t)

    probe = __call__

    def window(self, window: Window) -> "FlowMatchingDenoiser":
        return FlowMatchingDenoiser(window.crop(self.mean), self.spread)


@pytree
class AveragingCodec:
    """Averages 2x2 pixels, and 4 frames after the first: as causal video codecs do."""

    def encode(self, pictures):
        n, h, w, c = pictures.shape
        cells = pictures.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))
        return self.pool_frames(cells)

    def decode(self, latents):
        rest = jnp.repeat(latents[:, 1:], 4, axis=1)
        frames = jnp.concatenate([latents[:, :1], rest], axis=1)
        return jnp.repeat(jnp.repeat(frames, 2, axis=2), 2, axis=3)

    def pool_mask(self, mask):
        return self.encode(mask[..., None].astype(float))[..., 0] > 0.2

    def pool_frames(self, values):
        rest = values[1:].reshape(-1, 4, *values.shape[1:]).mean(1)
        return jnp.concatenate([values[:1], rest])
