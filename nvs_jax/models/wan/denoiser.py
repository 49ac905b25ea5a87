"""Wan as the solver sees it: a flow's velocity as an estimate of x0, and classifier-free guidance around it."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.guided import guided, guided_within
from nvs_jax.models.wan.config import TransformerConfig
from nvs_jax.models.wan.transformer.network import WanTransformer
from nvs_jax.models.weights import Weights, bind
from nvs_jax.pytree import pytree, static
from nvs_jax.sharding import constrain
from nvs_jax.windows import Window

Latents = Float[Array, "b f h w c"]
TIMES = 1000
"""The network's times go up to this."""


@pytree
class WanDenoiser:
    """Wan with its conditions: of every video of a batch, or the same for all (b = 1).

    The network gives the velocity v of x_t = (1 - t) x0 + t noise. With sigma = t / (1 - t), x = x_t / (1 - t) is
    EDM's x0 + sigma noise, and x0 = x_t - t v = (x - sigma v) / (1 + sigma).

    Attributes:
        weights: the transformer's.
        given: latent of the picture that the video begins with: the first latent frame of every estimate.
        prompts: embeddings of what is not wanted and of what is.
        guidance_scale: of classifier-free guidance, a value a latent frame.
        config: the transformer's.
        beside: of image-to-video models, what lies on channels beside the noisy latents.
        control: of VACE's models, what its branch sees.
        tokens: of image-to-video models, CLIP's of the picture.
        clean_first: the network sees the given latent itself, without noise and at time 0, as TI2V was trained.
        sequential: evaluate the branches of classifier-free guidance one after the other, in half the memory.
        interval: noise levels between which classifier-free guidance is on; None: all.
        guided: whether it is on at all; where the scale is 1 at every frame it changes nothing.
        remat: when differentiated, compute what is inside the network's layers again instead of keeping it.
    """

    weights: Weights
    given: Float[Array, "b h w c"]
    prompts: Float[Array, "2 s d"]
    guidance_scale: Float[Array, "f"]
    config: TransformerConfig = static()
    beside: Float[Array, "1 f h w k"] | None = None
    control: Float[Array, "1 f h w k"] | None = None
    tokens: Float[Array, "1 t e"] | None = None
    clean_first: bool = static(default=False)
    sequential: bool = static(default=False)
    interval: Float[Array, "2"] | None = None
    guided: bool = static(default=True)
    remat: bool = static(default=True)

    def __call__(self, x: Latents, sigma: Float[Array, ""]) -> Latents:
        """x0 under classifier-free guidance; where that is off, of the conditional branch alone.

        Raises:
            InputError: conditions of another number of videos than there are.
        """
        each = self._for_batch(len(x))
        return guided_within(self.interval, each._guided, each._conditional, x, sigma, on=self.guided)

    def probe(self, x: Latents, sigma: Float[Array, ""]) -> Latents:
        """x0 of the conditional branch alone."""
        return self._for_batch(len(x))._conditional(x, sigma)

    def window(self, window: Window) -> "WanDenoiser":
        """The same with its spatial conditions cropped."""
        beside, control = jax.tree.map(window.crop, (self.beside, self.control))
        given = window.crop(self.given[:, None])[:, 0]
        return dataclasses.replace(self, given=given, beside=beside, control=control)

    def _for_batch(self, b: int) -> "WanDenoiser":
        """With a given picture for each of b videos."""
        if len(self.given) not in (1, b):
            raise InputError(f"{b} videos, but conditions of {len(self.given)}: give one a video, or only one")
        return dataclasses.replace(self, given=jnp.broadcast_to(self.given, (b, *self.given.shape[1:])))

    def _conditional(self, x: Latents, sigma: Float[Array, ""]) -> Latents:
        return self._x0(x, sigma, jnp.repeat(self.prompts[1:], len(x), axis=0))

    def _guided(self, x: Latents, sigma: Float[Array, ""]) -> Latents:
        def evaluate(texts: Float[Array, "n s d"]) -> Latents:
            return self._x0(jnp.tile(x, (len(texts) // len(x), 1, 1, 1, 1)), sigma, texts)

        branches = jnp.repeat(self.prompts[:, None], len(x), axis=1)
        return constrain(guided(evaluate, branches, self.guidance_scale, sequential=self.sequential), "latents")

    def _x0(self, x: Latents, sigma: Float[Array, ""], text: Float[Array, "b s d"]) -> Latents:
        dtype = self.weights["proj_out.weight"].dtype
        given = jnp.tile(self.given, (len(x) // len(self.given), 1, 1, 1)).astype(x.dtype)  # once a branch
        time = sigma / (1 + sigma)
        noisy = x / (1 + sigma)
        timestep = jnp.full((len(x), x.shape[1] if self.clean_first else 1), TIMES * time)
        if self.clean_first:
            noisy, timestep = noisy.at[:, 0].set(given), timestep.at[:, 0].set(0)
        told = self.beside, self.control, self.tokens
        beside, control, tokens = jax.tree.map(
            lambda leaf: jnp.broadcast_to(leaf, (len(x), *leaf.shape[1:])).astype(dtype), told
        )
        seen = noisy.astype(dtype) if beside is None else jnp.concatenate([noisy.astype(dtype), beside], axis=-1)
        network = bind(WanTransformer(self.config), self.weights)
        v = network(seen, timestep, text.astype(dtype), image=tokens, control=control, remat=self.remat)
        x0 = (x - sigma * v.astype(x.dtype)) / (1 + sigma)
        return constrain(x0.at[:, 0].set(given), "latents")
