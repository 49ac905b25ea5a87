"""Give a model's latents more channels: what it knows stays as it is, and the new channels are learnt.

A kernel's last two axes are inputs and outputs. A layer that sees or makes latents has one or more groups of latent
channels there: mean and log-variance, or the noisy latent and the one that is told.
"""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from nvs_jax.errors import InputError
from nvs_jax.models.weights import Weights


def widened(old: Mapping[str, Array], fresh: Weights, before: int, after: int) -> Weights:
    """Weights of a network with `after` latent channels that does with the first `before` what `old` did.

    New inputs of old outputs have weight zero; new outputs are as in `fresh`.

    Args:
        old: weights of the narrower network.
        fresh: weights of the wider one, random or zero.
        before: latent channels of the narrower.
        after: latent channels of the wider.

    Raises:
        InputError: a layer differs in more than latent channels.
    """
    return {name: _placed(name, np.asarray(old[name]), fresh[name], before, after) for name in fresh}


def _placed(name: str, old: np.ndarray, fresh: Array, before: int, after: int) -> Array:
    places = [_places(name, *sizes, before, after) for sizes in zip(old.shape, fresh.shape, strict=True)]
    value = np.array(fresh)
    if old.ndim > 1:
        *rest, _, outputs = places
        value[np.ix_(*rest, np.arange(fresh.shape[-2]), outputs)] = 0
    value[np.ix_(*places)] = old
    return jnp.asarray(value)


def _places(name: str, old: int, new: int, before: int, after: int) -> np.ndarray:
    """Where an axis's old entries are among the new ones."""
    if old == new:
        return np.arange(old)
    if old % before or new != old // before * after:
        raise InputError(f"{name}: {old} channels cannot become {new} as {before} latent channels become {after}")
    return np.arange(new).reshape(-1, after)[:, :before].ravel()
