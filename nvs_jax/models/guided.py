"""Classifier-free guidance around any network that estimates x0 under conditions."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Latents = Float[Array, "b f h w c"]


def guided(
    evaluate: Callable[[Any], Latents],
    branches: Any,
    scale: Float[Array, "f"],
    *,
    sequential: bool = False,
) -> Latents:
    """x0 of the unconditional branch, moved by `scale` towards that of the conditional one.

    Args:
        evaluate: x0 under conditions of as many videos as their leaves have rows: b, or 2 b when both branches are
            evaluated together.
        branches: conditions as a pytree; each leaf has the unconditional branch and the conditional one along its first
            axis, and b videos along its second.
        scale: of each latent frame; 1 is the conditional branch alone.
        sequential: one branch after the other, in half the memory.

    >>> x0 = lambda level: jnp.full((len(level), 1, 1, 1, 1), level[:, None, None, None, None])
    >>> print(guided(x0, jnp.array([[1.0], [2.0]]), jnp.array([3.0])).ravel())
    [4.]
    """
    if sequential:
        unconditional, conditional = jax.lax.map(evaluate, branches)
    else:
        together = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), branches)
        unconditional, conditional = jnp.split(evaluate(together), 2)
    return unconditional + scale[:, None, None, None] * (conditional - unconditional)


def guided_within(
    interval: Float[Array, "2"] | None,
    both: Callable[[Latents, Float[Array, ""]], Latents],
    conditional: Callable[[Latents, Float[Array, ""]], Latents],
    x: Latents,
    sigma: Float[Array, ""],
    *,
    on: bool = True,
) -> Latents:
    """Guidance between two noise levels, the conditional branch alone elsewhere; None: guidance at all of them.

    Where it is not `on`, the conditional branch alone everywhere.
    """
    if not on:
        return conditional(x, sigma)
    if interval is None:
        return both(x, sigma)
    inside = (interval[0] <= sigma) & (sigma <= interval[1])
    return jax.lax.cond(inside, both, conditional, x, sigma)
