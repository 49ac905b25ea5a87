"""How the network's estimate is brought together with the warped views.

An estimate maps the network's x0 (mu) and the weights w to mu~. It carries X^ and the cells about which X^ says nothing
(holes), and can be cropped to a window of latent cells.
"""

import dataclasses
from typing import Protocol, TypeVar, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.diffusion.contracts import FrameWeights, Latents
from nvs_jax.pytree import pytree
from nvs_jax.windows import Window

Views = TypeVar("Views", bound="WarpedViews")


@runtime_checkable
class Estimate(Protocol):
    """mu~ of (11), by whatever rule."""

    def __call__(self, x0: Latents, w: FrameWeights) -> Latents:
        """mu~ from mu = `x0` and the weights."""
        ...

    def window(self, window: Window) -> "Estimate":
        """The same rule on a window of latent cells."""
        ...


@pytree
class WarpedViews:
    """The warped views in latent space, shared by every rule below.

    Attributes:
        target: X^, in the denoiser's units.
        hole: cells about which X^ says nothing. A frame that is all hole is left free; one without any is given
            where w = 1.
    """

    target: Latents
    hole: Bool[Array, "b f h w"]

    def window(self: Views, window: Window) -> Views:
        """Crop target and holes."""
        return dataclasses.replace(self, target=window.crop(self.target), hole=window.crop(self.hole))


@pytree
class Blend(WarpedViews):
    """The paper's (12): mu~ = (mu + lambda X^) / (1 + lambda) = mu + w (X^ - mu), outside holes."""

    def __call__(self, x0: Latents, w: FrameWeights) -> Latents:
        """Blend by w."""
        w = jnp.where(self.hole, 0.0, w[:, None, None])
        return x0 + w[..., None] * (self.target - x0)


@pytree
class Select(WarpedViews):
    """The release's rule: in each frame X^ replaces the fraction w of free values nearest to it.

    Holes count as differences of 0 when the values of a frame are sorted, and the release counts hole *cells* where
    values are sorted, so the fraction really taken is max(0, w (n - z) - 3 z) / (n - 4 z) for 4 channels, n values and
    z hole cells. When nothing is to be taken the index wraps around and everything is.

    Attributes:
        clamp: w is raised to at least this.
    """

    clamp: float | Float[Array, ""] = 0.0

    def __call__(self, x0: Latents, w: FrameWeights) -> Latents:
        """Select, as the release."""
        difference = jnp.where(self.hole[..., None], 0.0, jnp.abs(x0 - self.target))
        ordered = jnp.sort(difference.reshape(*x0.shape[:2], -1), axis=-1)
        n, z = ordered.shape[-1], self.hole.sum((-1, -2))
        k = jnp.floor(jnp.clip(w, self.clamp, 1.0) * (n - z)).astype(jnp.int32) + z
        cutoff = jnp.take_along_axis(ordered, ((k - 1) % n)[..., None], axis=-1)[..., None, None]
        return jnp.where(~self.hole[..., None] & (difference <= cutoff), self.target, x0)
