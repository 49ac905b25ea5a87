"""The two ways warped views steer the sampler: DGS (13) inside a step, Post (14) before it.

A guidance of your own is a class with the same two methods; see `nvs_jax.diffusion.contracts.Guidance`.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.diffusion.contracts import Denoiser, Guidance, Latents, Sigma, TrustValues
from nvs_jax.diffusion.estimates import Estimate, WarpedViews, crop_trust
from nvs_jax.diffusion.randomness import Keys
from nvs_jax.pytree import pytree, static
from nvs_jax.settings import Gradient
from nvs_jax.windows import Window


@pytree
class Unguided:
    """The video model alone."""

    def correct(self, x: Latents, sigma: Sigma, w: TrustValues, denoiser: Denoiser, key: Keys) -> Latents:
        return x

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        return x0


@pytree
class DirectGuidance(Unguided):
    """DGS: dX = (X - mu~) / sigma dsigma (13)."""

    modulate: Estimate

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        """mu~ in place of mu."""
        return self.modulate(x0, w)


@pytree
class PosteriorGuidance(Unguided):
    """Post: X <- X - kappa grad_X |mu(X) - mu~|^2 (14), mu~ held constant, then an ordinary step.

    kappa = learning_rate sqrt(sigma) / std(grad), as the release normalises.

    Attributes:
        modulate: the rule for mu~.
        learning_rate: size of a correction relative to sqrt(sigma).
        gradient: "full" differentiates through the network, as (14) says. "skip" does as the release, which detaches
            the network's input: mu depends on X through the skip connection alone, whose factor the normalisation
            cancels, so that no backward pass is needed.
        half: round the correction to float16, as the release always does.
    """

    modulate: Estimate
    learning_rate: float | Float[Array, ""] = 0.02
    gradient: Gradient = static(default="skip")
    half: bool = static(default=False)

    def correct(self, x: Latents, sigma: Sigma, w: TrustValues, denoiser: Denoiser, key: Keys) -> Latents:
        """One normalised gradient step towards the warped views."""
        if self.gradient == "full":
            mu, pull_back = jax.vjp(lambda x: denoiser.probe(x, sigma), x)
        else:
            mu, pull_back = denoiser.probe(x, sigma), lambda difference: (difference,)
        (gradient,) = pull_back(mu - self.modulate(mu, w))  # mu~ is held: only mu is differentiated in X
        variance = jnp.var(gradient, axis=(1, 2, 3, 4), keepdims=True, ddof=1)
        # Without any difference there is nothing to correct; the square root of 0 has no gradient.
        spread = jnp.sqrt(jnp.where(variance > 0, variance, 1.0))
        g = jnp.where(variance > 0, self.learning_rate * jnp.sqrt(sigma) * gradient / spread, 0.0)
        return x - (g.astype(jnp.float16).astype(g.dtype) if self.half else g)

    def window(self, window: Window) -> "PosteriorGuidance":
        """The same guidance on a window of latent cells."""
        return PosteriorGuidance(self.modulate.window(window), self.learning_rate, self.gradient, self.half)


@pytree
class Tiled(Unguided):
    """A guidance whose correction is made window by window, each with its own network evaluation and normalisation.

    Where windows overlap, the one listed first wins.

    Attributes:
        guidance: what is applied in every window; its estimate is used unchanged.
        windows: all with static corners.
    """

    guidance: PosteriorGuidance
    windows: tuple[Window, ...] = static()

    def correct(self, x: Latents, sigma: Sigma, w: TrustValues, denoiser: Denoiser, key: Keys) -> Latents:
        """Correct every window from the same x, and put them together."""
        parts = {}
        for size in dict.fromkeys((window.height, window.width) for window in self.windows):
            # Windows of one size share a loop, so that the network is compiled once for them.
            group = [window for window in self.windows if (window.height, window.width) == size]

            def one(corner: Array, size: tuple[int, int] = size) -> Latents:
                window = Window(corner[0], corner[1], *size)
                here = crop_trust(window, w)
                return self.guidance.window(window).correct(window.crop(x), sigma, here, denoiser.window(window), key)

            corners = jnp.array([(window.row, window.column) for window in group])
            parts |= dict(zip(group, jax.lax.map(one, corners), strict=True))
        for window in reversed(self.windows):
            x = window.paste(x, parts[window])
        return x

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        return self.guidance.estimate(x0, sigma, w, key)


@pytree
class Within:
    """A guidance at work in an interval of noise levels only; outside it the sampler goes as if there were none.

    A correction that is not made costs nothing: the network is not evaluated for it.

    Attributes:
        guidance: what works inside.
        low: smallest sigma at which it does.
        high: largest.
    """

    guidance: Guidance
    low: float | Float[Array, ""] = 0.0
    high: float | Float[Array, ""] = jnp.inf

    def correct(self, x: Latents, sigma: Sigma, w: TrustValues, denoiser: Denoiser, key: Keys) -> Latents:
        """The guidance's correction, or the identity."""
        inside = (self.low <= sigma) & (sigma <= self.high)
        return jax.lax.cond(inside, lambda x: self.guidance.correct(x, sigma, w, denoiser, key), lambda x: x, x)

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        """The guidance's estimate, or the network's own."""
        inside = (self.low <= sigma) & (sigma <= self.high)
        return jax.lax.cond(inside, lambda x0: self.guidance.estimate(x0, sigma, w, key), lambda x0: x0, x0)


@pytree
class Around:
    """A guidance around another one, which works as it does but where a subclass says otherwise.

    Attributes:
        guidance: the other one.
    """

    guidance: Guidance

    def correct(self, x: Latents, sigma: Sigma, w: TrustValues, denoiser: Denoiser, key: Keys) -> Latents:
        return self.guidance.correct(x, sigma, w, denoiser, key)

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        return self.guidance.estimate(x0, sigma, w, key)


@pytree
class FilledHoles(Around):
    """A guidance that is told something about holes, too: mu~ <- mu~ + s (X^ - mu~) there, at large noise levels.

    X^ must hold a guess in holes, such as their surroundings continued smoothly. Where noise is large the guess knows
    more of the picture's layout than the network does; details are left to the network. Not in the paper.

    Attributes:
        guidance: what is at work outside of holes, and alone in frames that are all hole: nothing is guessed of them.
        views: X^ and the holes.
        strength: s, in [0, 1].
        low: smallest sigma at which the guess counts.
    """

    views: WarpedViews
    strength: float | Float[Array, ""]
    low: float | Float[Array, ""]

    def estimate(self, x0: Latents, sigma: Sigma, w: TrustValues, key: Keys) -> Latents:
        """The guidance's estimate, drawn towards the guess in holes."""
        estimate = self.guidance.estimate(x0, sigma, w, key)
        some = ~self.views.hole.all((-1, -2), keepdims=True)
        s = jnp.where(some & (sigma >= self.low), self.strength, 0.0) * (1 - self.views.share)
        s = s[..., None]
        return estimate + s * (self.views.target - estimate)


__all__ = ["DirectGuidance", "FilledHoles", "Guidance", "PosteriorGuidance", "Tiled", "Unguided", "Within"]
