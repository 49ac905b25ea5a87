"""Start from the warped views with noise, at a level chosen, in place of noise alone (SDEdit, arXiv 2108.01073)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.diffusion.contracts import Latents
from nvs_jax.errors import InputError


def levels_from(sigmas: Float[Array, "levels"], start: float) -> Float[Array, "fewer"]:
    """The start, and the levels below it.

    Raises:
        InputError: a start above the first level.
    """
    if start > float(sigmas[0]):
        raise InputError(f"schedule.start {start:g} is above the schedule's first noise level, {float(sigmas[0]):g}")
    return jnp.concatenate([jnp.asarray([start], sigmas.dtype), sigmas[sigmas < start]])


def noised(views: Float[Array, "#b f h w c"], sigma: Float[Array, ""], noise: Latents) -> Latents:
    """X = X^ + sigma eps."""
    return views + sigma * noise
