"""How the network's estimate is brought together with the warped views.

An estimate maps the network's x0 (mu) and the weights w to mu~. It carries X^ and the cells about which X^ says nothing
(holes), and can be cropped to a window of latent cells. Weights are one a frame, or one a latent cell.
"""

import dataclasses
from typing import Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.diffusion.contracts import Latents, Weights
from nvs_jax.pytree import pytree
from nvs_jax.windows import Window

Views = TypeVar("Views", bound="WarpedViews")


@runtime_checkable
class Estimate(Protocol):
    """mu~ of (11), by whatever rule."""

    def __call__(self, x0: Latents, w: Weights) -> Latents:
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

    def __call__(self, x0: Latents, w: Weights) -> Latents:
        """Blend by w."""
        w = jnp.where(self.hole, 0.0, over_cells(w))
        return x0 + w[..., None] * (self.target - x0)


@pytree
class Select(WarpedViews):
    """The release's rule: in each frame X^ replaces the fraction w of free values nearest to it.

    Holes count as differences of 0 when the values of a frame are sorted, and the release counts hole *cells* where
    values are sorted, so the fraction really taken is max(0, w (n - z) - 3 z) / (n - 4 z) for 4 channels, n values and
    z hole cells. When nothing is to be taken the index wraps around and everything is. With a weight a cell, a cell's
    values are taken if they would be were its weight the whole frame's.

    Attributes:
        clamp: w is raised to at least this.
    """

    clamp: float | Float[Array, ""] = 0.0

    def __call__(self, x0: Latents, w: Weights) -> Latents:
        """Select, as the release."""
        difference, ordered, rank = _ranked(self, x0, jnp.clip(over_cells(w), self.clamp, 1.0))
        k = jnp.floor(rank).astype(jnp.int32)
        cutoff = _take(ordered, (k - 1) % ordered.shape[-1])[..., None]
        return jnp.where(~self.hole[..., None] & (difference <= cutoff), self.target, x0)


@pytree
class SmoothSelect(WarpedViews):
    """`Select` with soft edges, differentiable in everything: mu~ = mu + s (X^ - mu), s = sigmoid((cutoff - d) / T).

    d = |mu - X^|, and the cutoff runs linearly from one sorted difference to the next as w grows. As T falls to 0 this
    tends to `Select`, wherever w does not stand exactly between two counts of values; but where that wraps around and
    takes everything, this takes nothing. A weight of 1 gives X^ at any T.

    Attributes:
        clamp: w is raised to at least this.
        temperature: T > 0, in units of the latents.
    """

    clamp: float | Float[Array, ""] = 0.0
    temperature: float | Float[Array, ""] = 0.05

    def __call__(self, x0: Latents, w: Weights) -> Latents:
        """Blend by how far below the cutoff a difference is."""
        w = jnp.clip(over_cells(w), self.clamp, 1.0)
        difference, ordered, rank = _ranked(self, x0, w)
        last = ordered.shape[-1] - 1
        below = jnp.clip(jnp.floor(rank).astype(jnp.int32) - 1, 0, last)
        low, high = _take(ordered, below), _take(ordered, jnp.minimum(below + 1, last))
        cutoff = low + (rank - 1 - below) * (high - low)
        taken = jax.nn.sigmoid((cutoff[..., None] - difference) / self.temperature)
        taken = jnp.where(self.hole[..., None], 0.0, jnp.where(w[..., None] < 1, taken, 1.0))
        return x0 + taken * (self.target - x0)


def over_cells(w: Weights) -> Float[Array, "f #h #w"]:
    """Weights that broadcast over the cells of their frames."""
    return w[:, None, None] if w.ndim == 1 else w


def crop_weights(window: Window, w: Weights) -> Array:
    """The weights of a window: those of its cells, or the frames' own."""
    return w if w.ndim == 1 else window.crop(w[None])[0]


def _ranked(
    views: Select | SmoothSelect, x0: Latents, w: Float[Array, "f #h #w"]
) -> tuple[Latents, Float[Array, "b f n"], Float[Array, "b f #h #w"]]:
    """|mu - X^|, 0 in holes; the same sorted in each frame; and how many of them w asks for, before rounding down."""
    difference = jnp.where(views.hole[..., None], 0.0, jnp.abs(x0 - views.target))
    ordered = jnp.sort(difference.reshape(*x0.shape[:2], -1), axis=-1)
    holes = views.hole.sum((-1, -2), keepdims=True)
    return difference, ordered, w * (ordered.shape[-1] - holes) + holes


def _take(ordered: Float[Array, "b f n"], index: Array) -> Float[Array, "b f #h #w"]:
    """The entry of its frame that each index names."""
    flat = index.reshape(*ordered.shape[:2], -1)
    return jnp.take_along_axis(ordered, flat, axis=-1).reshape(index.shape)
