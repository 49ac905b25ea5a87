"""Clips on the device: rendered there while it trains, the newest replacing the oldest."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, UInt8

from nvs_jax.pytree import pytree
from scripts.train.clips import render_clip
from scripts.train.settings import ClipSettings

Make = Callable[[Int[Array, "k"], Any], Any]
"""Of numbers of clips, and weights that do not change: what is kept of these clips, a pytree with k first."""


@pytree
class Pool:
    """What is drawn from.

    Attributes:
        kept: a pytree whose arrays have the clips along the first axis; filled from the beginning.
        begun: the number of the first clip that was put here.
        made: the number of the next.
    """

    kept: Any
    begun: Int[Array, ""]
    made: Int[Array, ""]

    def __len__(self) -> int:
        return len(jax.tree.leaves(self.kept)[0])

    @property
    def filled(self) -> Int[Array, ""]:
        """How many places have a clip."""
        return jnp.minimum(self.made - self.begun, len(self))


def whole(kept: Any) -> Pool:
    """A pool that has them all."""
    return Pool(kept, jnp.zeros((), jnp.int32), jnp.asarray(len(jax.tree.leaves(kept)[0]), jnp.int32))


def empty_pool(make: Make, fixed: Any, size: int, made: int) -> Pool:
    """A pool with room for `size` clips, whose first will have number `made`."""
    one = jax.eval_shape(make, jax.ShapeDtypeStruct((1,), jnp.int32), fixed)
    kept = jax.tree.map(lambda entry: jnp.zeros((size, *entry.shape[1:]), entry.dtype), one)
    return Pool(kept, jnp.asarray(made, jnp.int32), jnp.asarray(made, jnp.int32))


def with_new(pool: Pool, make: Make, fixed: Any, count: int) -> Pool:
    """Make the next `count` clips; inside jit."""
    numbers = pool.made + jnp.arange(count, dtype=jnp.int32)
    places = (numbers - pool.begun) % len(pool)
    kept = jax.tree.map(lambda all_, new: all_.at[places].set(new), pool.kept, make(numbers, fixed))
    return Pool(kept, pool.begun, pool.made + count)


def clips_by_number(settings: ClipSettings, together: int) -> Callable[[Int[Array, "k"]], UInt8[Array, "k f H W 3"]]:
    """Clips for training, as many as there are numbers; never the held-out ones, nor those of evaluation."""

    def one(number: Array) -> Array:
        return render_clip(jax.random.fold_in(jax.random.key(settings.first_seed), number), settings)

    return lambda numbers: jax.lax.map(one, numbers, batch_size=min(together, len(numbers)))


def held_out_clips(settings: ClipSettings, together: int) -> UInt8[Array, "n f H W 3"]:
    """The clips that the cached way holds out, too."""
    seeds = settings.first_seed + settings.count + jnp.arange(settings.held_out)
    return jax.jit(
        lambda seeds: jax.lax.map(
            lambda seed: render_clip(jax.random.key(seed), settings), seeds, batch_size=min(together, len(seeds))
        )
    )(seeds)
