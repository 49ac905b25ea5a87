"""Random keys of the sampler: one for all videos of a batch, or one a video, so that each is what it is alone."""

import jax
from jaxtyping import Array, Float, Int, Key

Keys = Key[Array, "*videos"]
"""One key, of shape (), or one a video, of shape (b,)."""
_OF_GUIDANCE = 2**32 - 1
"""No step has this number: what a guidance draws shares nothing with what a solver draws from the keys of its steps."""


def fold_in(key: Keys, number: int | Int[Array, ""]) -> Keys:
    """`jax.random.fold_in`, of every key."""
    return jax.random.fold_in(key, number) if key.ndim == 0 else jax.vmap(lambda one: fold_in(one, number))(key)


def normal(key: Keys, like: Float[Array, "b *rest"]) -> Float[Array, "b *rest"]:
    """N(0, 1) in the shape and dtype of `like`: drawn from one key, or for each video from its own.

    >>> keys = jax.random.split(jax.random.key(0), 2)
    >>> normal(keys, jax.numpy.zeros((2, 3)))[1] == normal(keys[1], jax.numpy.zeros((1, 3)))[0]
    Array([ True,  True,  True], dtype=bool)
    """
    if key.ndim == 0:
        return jax.random.normal(key, like.shape, like.dtype)
    return jax.vmap(lambda one: jax.random.normal(one, like.shape[1:], like.dtype))(key)


def guidance_keys(key: Keys, step: Int[Array, ""]) -> tuple[Keys, Keys]:
    """What the two hooks of a guidance draw from in a step of a run with this key: `correct` and `estimate`."""
    own = fold_in(fold_in(key, _OF_GUIDANCE), step)
    return fold_in(own, 0), fold_in(own, 1)


def choosing_key(key: Keys, step: Int[Array, ""]) -> Keys:
    """What a guidance that chooses among videos draws from after a step."""
    return fold_in(fold_in(fold_in(key, _OF_GUIDANCE), step), 2)
