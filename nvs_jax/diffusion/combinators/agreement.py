"""Agreement: cells of several frames that show the same hidden surface are drawn to what they say on average.

Each frame's hole is filled by the network on its own; what is filled in twice should be the same twice.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from nvs_jax.diffusion.contracts import Latents, Sigma, TrustValues
from nvs_jax.diffusion.guidance import Around
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.pytree import pytree

SameSurface = tuple[Int[Array, "f f h w"], Bool[Array, "f f h w"]]
"""Of every cell of frame i the cell of frame j, counted over all f h w, that shows the same surface; if one does."""


@pytree
class Agreement(Around):
    """A guidance whose estimates agree in holes: mu~_i <- mu~_i + s (sum_j a_ij mu~_j / sum_j a_ij - mu~_i).

    Attributes:
        guidance: what makes mu~.
        hidden: how much of each cell is a hole, in [0, 1]; only holes are changed, and only holes are asked.
        same: which cells show the same surface.
        strength: s, in [0, 1].
        low: smallest sigma at which they do.
    """

    hidden: Float[Array, "#b f h w"]
    same: SameSurface
    strength: float | Float[Array, ""]
    low: float | Float[Array, ""]

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        """The guidance's estimate, in holes drawn to the mean of the frames that show the same."""
        mu, (index, exists) = self.guidance.estimate(x0, sigma, w, key), self.same
        a = exists * self.hidden.reshape(len(self.hidden), -1)[:, index]
        others = mu.reshape(len(mu), -1, mu.shape[-1])[:, index]
        total = a.sum(2)
        mean = (a[..., None] * others).sum(2) / jnp.where(total > 0, total, 1.0)[..., None]
        s = jnp.where(sigma >= self.low, self.strength, 0.0) * self.hidden * (total > 0)
        return mu + s[..., None] * (mean - mu)
