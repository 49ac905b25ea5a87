"""SVD as the solver sees it: EDM preconditioning and classifier-free guidance around the UNet."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.guided import guided, guided_within
from nvs_jax.models.svd.config import UNetConfig
from nvs_jax.models.svd.unet.network import UNetSpatioTemporal
from nvs_jax.models.svd.unet.transformer import MixedContext
from nvs_jax.models.weights import Weights, bind
from nvs_jax.pytree import pytree, static
from nvs_jax.sharding import constrain
from nvs_jax.windows import Window

Latents = Float[Array, "b f h w c"]


@pytree
class SVDDenoiser:
    """SVD with its conditions: of every video of a batch, or the same for all (b = 1).

    Attributes:
        weights: the UNet's.
        image_latent: the given picture's latent, unscaled.
        embedding: the given picture's CLIP embedding.
        time_ids: frames a second less one, motion bucket, noise augmentation.
        guidance_scale: of classifier-free guidance, a value a frame.
        config: the UNet's.
        mixed_context: let half the locations of each branch attend to the other branch's embedding in the temporal
            layers, as the release.
        sequential: evaluate the branches of classifier-free guidance one after the other, in half the memory.
        interval: noise levels between which classifier-free guidance is on; None: all.
        guided: whether it is on at all; where the scale is 1 at every frame it changes nothing.
        remat: when differentiated, compute what is inside the network's layers again instead of keeping it.
    """

    weights: Weights
    image_latent: Float[Array, "#b h w c"]
    embedding: Float[Array, "#b d"]
    time_ids: Float[Array, "3"]
    guidance_scale: Float[Array, "f"]
    config: UNetConfig = static()
    mixed_context: bool = static(default=False)
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

    def _for_batch(self, b: int) -> "SVDDenoiser":
        """With conditions for each of b videos."""
        given = len(self.image_latent), len(self.embedding)
        if not {*given} <= {1, b}:
            raise InputError(f"{b} videos, but conditions of {given[0]} and {given[1]}: give one a video, or only one")
        latent, embedding = (jnp.broadcast_to(x, (b, *x.shape[1:])) for x in (self.image_latent, self.embedding))
        return dataclasses.replace(self, image_latent=latent, embedding=embedding)

    def _guided(self, x: Latents, sigma: Float[Array, ""]) -> Latents:
        """Both branches, the unconditional one without picture."""
        b = x.shape[0]
        context = jnp.stack([jnp.zeros_like(self.embedding), self.embedding])[:, :, None]
        latent = jnp.stack([jnp.zeros_like(self.image_latent), self.image_latent])
        index = jnp.broadcast_to(jnp.arange(2)[:, None], (2, b))
        alternatives = jnp.stack(list(context), axis=1)

        def evaluate(branches: tuple[Array, Array, Array]) -> Array:
            context, latent, index = branches
            both = len(index) // b  # the branches at hand: one, or two in one batch
            mixed = None
            if self.mixed_context:
                mixed = MixedContext(jnp.tile(alternatives, (both, 1, 1, 1)), index)
            return self._x0(jnp.tile(x, (both, 1, 1, 1, 1)), sigma, context, latent, mixed)

        branches = context, latent, index
        return constrain(guided(evaluate, branches, self.guidance_scale, sequential=self.sequential), "latents")

    def _conditional(self, x: Latents, sigma: Float[Array, ""]) -> Latents:
        """The conditional branch alone; at a scale of 1 the same as both."""
        context, mixed = self.embedding[:, None], None
        if self.mixed_context:
            alternatives = jnp.stack([jnp.zeros_like(context), context], axis=1)
            mixed = MixedContext(alternatives, jnp.ones(len(x), jnp.int32))
        return constrain(self._x0(x, sigma, context, self.image_latent, mixed), "latents")

    def probe(self, x: Latents, sigma: Float[Array, ""]) -> Latents:
        """x0 with the picture's latent but without its embedding, and without guidance."""
        each = self._for_batch(len(x))
        x0 = each._x0(x, sigma, jnp.zeros_like(each.embedding)[:, None], each.image_latent, None)
        return constrain(x0, "latents")

    def window(self, window: Window) -> "SVDDenoiser":
        """The same with the picture's latent cropped."""
        return dataclasses.replace(self, image_latent=window.crop(self.image_latent[:, None])[:, 0])

    def _x0(
        self,
        x: Latents,
        sigma: Float[Array, ""],
        context: Float[Array, "b s d"],
        image_latent: Float[Array, "b h w c"],
        mixed: MixedContext | None,
    ) -> Latents:
        """v-prediction: x0 = -sigma / sqrt(sigma^2 + 1) v + x / (sigma^2 + 1)."""
        dtype = self.weights["conv_in.weight"].dtype
        b, f = x.shape[:2]
        scaled = x / jnp.sqrt(sigma**2 + 1)
        image = jnp.broadcast_to(image_latent[:, None], (b, f, *image_latent.shape[1:]))
        unet = bind(UNetSpatioTemporal(self.config), self.weights)
        v = unet(
            jnp.concatenate([scaled, image], axis=-1).astype(dtype),
            0.25 * jnp.log(sigma)[None],
            context.astype(dtype),
            self.time_ids[None],
            mixed_context=mixed,
            remat=self.remat,
        )
        return -sigma / jnp.sqrt(sigma**2 + 1) * v.astype(x.dtype) + x / (sigma**2 + 1)
