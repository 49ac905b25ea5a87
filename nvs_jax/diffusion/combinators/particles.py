"""Particles: videos sampled at once, of which those that fit the views take the place of others (Wu et al., 2023).

A video whose own estimate disagrees with what is known of it was begun badly, and guidance only hides it (arXiv
2306.17775; of views, PartiCam, arXiv 2609.39504). Copies part only where noise is drawn afterwards: with restarts,
resampling, or a solver that draws.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from nvs_jax.diffusion.contracts import Latents, Sigma
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.diffusion.guidance import Around
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.pytree import pytree


@pytree
class Particles(Around):
    """A guidance of K videos that are one video's particles.

    Attributes:
        guidance: of each.
        views: what is known of them.
        temperature: T, of p_k ~ exp(r_k / T) with the reward r_k of `fit`.
        low: smallest sigma after which they are chosen among.
        high: largest.
    """

    views: WarpedViews
    temperature: float | Float[Array, ""]
    low: float | Float[Array, ""]
    high: float | Float[Array, ""]

    def parents(self, x0: Latents, sigma: Sigma, key: Keys) -> Int[Array, "b"]:
        """Whose child each is after a step: systematic resampling, the best one first."""
        reward = fit(x0, self.views)
        order = jnp.argsort(-reward)
        shares = jnp.cumsum(jax.nn.softmax(reward[order] / self.temperature))
        at = (jnp.arange(len(x0)) + jax.random.uniform(key if key.ndim == 0 else key[0])) / len(x0)
        chosen = order[jnp.searchsorted(shares, at).clip(max=len(x0) - 1)]
        return jnp.where((self.low <= sigma) & (sigma <= self.high), chosen, jnp.arange(len(x0)))


def fit(x0: Latents, views: WarpedViews) -> Float[Array, "b"]:
    """r = -mean |mu - X^|^2 over what is known: how well the network's own estimate says what the views show."""
    known = jnp.broadcast_to(views.share[..., None], x0.shape)
    wrong = (known * (x0 - views.target) ** 2).sum((1, 2, 3, 4))
    return -wrong / jnp.maximum(known.sum((1, 2, 3, 4)), 1.0)
