"""Random numbers for a scene."""

import math

import jax.numpy as jnp
from jax import random
from jaxtyping import Array, Float, Int

_POOL = 4096


class Draws:
    """Hands out numbers from one long draw: a hundred small ones would compile a generator each, for half a minute.

    Numbers are float32 whatever JAX's default, so that a seed is the same scene everywhere.
    """

    def __init__(self, key: Array):
        self._key, self._pools = key, 0
        self._refill()

    def _refill(self) -> None:
        self._pool, self._used = random.uniform(random.fold_in(self._key, self._pools), (_POOL,), jnp.float32), 0
        self._pools += 1

    def uniform(self, shape: tuple[int, ...], low: int | float, high: int | float) -> Float[Array, "..."]:
        """Uniform in [low, high)."""
        count = math.prod(shape)
        if self._used + count > _POOL:
            self._refill()
        numbers = self._pool[self._used : self._used + count].reshape(shape)
        self._used += count
        return low + (high - low) * numbers

    def choice(self, options: Array, n: int) -> Array:
        """Entries of `options`, with repetition."""
        return options[(self.uniform((n,), 0, 1) * len(options)).astype(jnp.int32)]

    def order(self, n: int) -> Int[Array, "n"]:
        """The numbers from 0 to n - 1 in random order."""
        return jnp.argsort(self.uniform((n,), 0, 1))
