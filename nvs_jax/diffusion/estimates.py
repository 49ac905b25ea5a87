"""How the network's estimate is brought together with the warped views.

An estimate maps the network's x0 (mu) and the trust w to mu~. It carries X^ and the cells about which X^ says nothing
(holes), and can be cropped to a window of latent cells. w is one a frame, or one a latent cell.
"""

import dataclasses
from typing import Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.diffusion.contracts import Latents, TrustValues
from nvs_jax.diffusion.soft_cutoff import soft_cutoff
from nvs_jax.pytree import pytree, static
from nvs_jax.settings import Counting
from nvs_jax.windows import Window

Views = TypeVar("Views", bound="WarpedViews")


@runtime_checkable
class Estimate(Protocol):
    """mu~ of (11), by whatever rule."""

    def __call__(self, x0: Latents, w: TrustValues) -> Latents:
        """mu~ from mu = `x0` and the trust."""
        ...

    def window(self, window: Window) -> "Estimate":
        """The same rule on a window of latent cells."""
        ...


@pytree
class WarpedViews:
    """The warped views in latent space: what every rule is about.

    Attributes:
        target: X^, in the denoiser's units.
        hole: cells about which X^ says nothing. A frame that is all hole is left free; one without any is given
            where w = 1.
        known: of a warp with soft edges, how much X^ says about each cell, in [0, 1]: `Blend` and `SmoothSelect` take
            it in place of yes and no. None: as `hole` says.
    """

    target: Latents
    hole: Bool[Array, "#b f h w"]
    known: Float[Array, "#b f h w"] | None = dataclasses.field(default=None, kw_only=True)

    def window(self: Views, window: Window) -> Views:
        """Crop target and holes."""
        known = None if self.known is None else window.crop(self.known)
        return dataclasses.replace(self, target=window.crop(self.target), hole=window.crop(self.hole), known=known)

    @property
    def share(self) -> Float[Array, "b f h w"]:
        """`known`, or 1 outside holes."""
        return jnp.where(self.hole, 0.0, 1.0).astype(self.target.dtype) if self.known is None else self.known


@pytree
class Blend(WarpedViews):
    """The paper's (12): mu~ = (mu + lambda X^) / (1 + lambda) = mu + w (X^ - mu), outside holes."""

    def __call__(self, x0: Latents, w: TrustValues) -> Latents:
        """Blend by w."""
        w = self.share * over_cells(w)
        return x0 + w[..., None] * (self.target - x0)


@pytree
class Select(WarpedViews):
    """The release's rule, counted as it was meant: in each frame X^ replaces the share w of free values nearest to it.

    The number taken is w n rounded down, of the n values outside holes; of values equally near none is left behind.
    With a weight a cell, a cell's values are taken if they would be were its weight the whole frame's.

    Attributes:
        clamp: w is raised to at least this.
        counting: "free" is this rule. "release" counts as the release does, which sorts holes among the values, as
            differences of 0, and counts hole *cells*: the share really taken is max(0, w (n - z) - 3 z) / (n - 4 z) for
            4 channels, n values in all and z hole cells; and where nothing is to be taken and there is no hole, the
            index wraps around and everything is.
    """

    clamp: float | Float[Array, ""] = 0.0
    counting: Counting = static(default="free")

    def __call__(self, x0: Latents, w: TrustValues) -> Latents:
        """X^ where it is among the nearest."""
        w = jnp.clip(over_cells(w), self.clamp, 1.0)
        difference = jnp.abs(x0 - self.target)
        cutoff = _release_cutoff(self, difference, w) if self.counting == "release" else _cutoff(self, difference, w)
        return jnp.where(~self.hole[..., None] & (difference <= cutoff[..., None]), self.target, x0)


@pytree
class SmoothSelect(WarpedViews):
    """`Select` with soft edges: mu~ = mu + s (X^ - mu), s = sigmoid((c - d) / T), d = |mu - X^|.

    The cutoff c of a frame is where the mean of s outside holes is w: the share that is taken is w itself, and its
    slope in w is 1, whatever the differences. Smooth in all of mu, X^ and w; see `soft_cutoff`. As T falls to 0 this
    tends to `Select`, but that the value at the cutoff is taken by the part of it that w n has over a whole number.

    Attributes:
        clamp: w is raised to at least this.
        temperature: T > 0, in units of the latents.
    """

    clamp: float | Float[Array, ""] = 0.0
    temperature: float | Float[Array, ""] = 0.05

    def __call__(self, x0: Latents, w: TrustValues) -> Latents:
        """Blend by how far below the cutoff a difference is."""
        w = jnp.clip(over_cells(w), self.clamp, 1.0)
        difference = jnp.abs(x0 - self.target)
        cutoff = soft_cutoff(difference, self.share, w, self.temperature)[..., None]
        soft = jax.nn.sigmoid((cutoff - difference) / self.temperature)
        w = w[..., None]
        taken = jnp.where((w > 0) & (w < 1), soft, jnp.where(w < 1, 0.0, 1.0))
        return x0 + self.share[..., None] * taken * (self.target - x0)


def over_cells(w: TrustValues) -> Float[Array, "f #h #w"]:
    """w, so that it broadcasts over the cells of their frames."""
    return w[:, None, None] if w.ndim == 1 else w


def crop_trust(window: Window, w: TrustValues) -> Array:
    """The trust of a window: that of its cells, or the frames' own."""
    return w if w.ndim == 1 else window.crop(w[None])[0]


def _sorted_free(views: WarpedViews, difference: Latents) -> tuple[Float[Array, "b f n"], Float[Array, "b f 1 1"]]:
    """The differences outside holes, sorted in each frame and followed by zeros; and how many they are."""
    b, f, *cells, channels = difference.shape
    hole = jnp.broadcast_to(views.hole, (b, f, *cells))
    ordered = jnp.sort(jnp.where(hole[..., None], jnp.inf, difference).reshape(b, f, -1), axis=-1)
    count = channels * (~hole).sum((-1, -2), keepdims=True)
    known = jnp.arange(ordered.shape[-1]) < count[..., 0]
    return jnp.where(known, ordered, 0.0), count.astype(difference.dtype)


def _cutoff(views: WarpedViews, difference: Latents, w: Float[Array, "f #h #w"]) -> Float[Array, "b f #h #w"]:
    """The largest difference that is taken; less than 0 where none is."""
    ordered, count = _sorted_free(views, difference)
    k = jnp.floor(w * count).astype(jnp.int32)
    return jnp.where(k > 0, _take(ordered, jnp.maximum(k - 1, 0)), -1.0)


def _release_cutoff(views: WarpedViews, difference: Latents, w: Float[Array, "f #h #w"]) -> Float[Array, "b f #h #w"]:
    """The same, as the release counts."""
    b, f, *_ = difference.shape
    ordered = jnp.sort(jnp.where(views.hole[..., None], 0.0, difference).reshape(b, f, -1), axis=-1)
    holes = jnp.broadcast_to(views.hole.sum((-1, -2), keepdims=True), (b, f, 1, 1))
    k = jnp.floor(w * (ordered.shape[-1] - holes) + holes).astype(jnp.int32)
    return _take(ordered, (k - 1) % ordered.shape[-1])


def _take(ordered: Float[Array, "b f n"], index: Array) -> Float[Array, "b f #h #w"]:
    """The entry of its frame that each index names."""
    flat = index.reshape(*ordered.shape[:2], -1)
    return jnp.take_along_axis(ordered, flat, axis=-1).reshape(index.shape)
