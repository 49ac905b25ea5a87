"""A scan whose gradient needs memory like the square root of its length."""

import math
from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Shaped

State = TypeVar("State")
Row = TypeVar("Row")
Inputs = TypeVar("Inputs", bound=tuple[Shaped[Array, "n *_"], ...])


def checkpointed_scan(
    body: Callable[[State, Inputs], tuple[State, Row]], state: State, inputs: Inputs
) -> tuple[State, Row]:
    """`jax.lax.scan(body, state, inputs)`, made for `jax.grad`.

    The steps are cut into segments of about sqrt(n). Going forward, only the state between segments is kept. Going
    backward, a segment is run again and the states within it are kept, and each of its steps is run again for what it
    keeps itself. Memory: about 2 sqrt(n) states and one step's insides; work: three times forward and once backward.

    Args:
        body: one step: the next state, and a row of what is stacked.
        state: before the first step.
        inputs: arrays of n entries each.

    >>> product = lambda x: checkpointed_scan(lambda x, xs: (x * xs[0], None), x, (jax.numpy.arange(1.0, 6.0),))[0]
    >>> float(jax.grad(product)(1.0))
    120.0
    """
    steps = len(inputs[0])
    length = _segment(steps)
    whole = steps - steps % length

    def segment(state: State, inputs: Inputs) -> tuple[State, Row]:
        return jax.lax.scan(jax.checkpoint(body), state, inputs)

    segments = jax.tree.map(lambda x: x[:whole].reshape(-1, length, *x.shape[1:]), inputs)
    again = jax.checkpoint(segment)
    state, rows = jax.lax.scan(again, state, segments)
    rows = jax.tree.map(lambda x: x.reshape(whole, *x.shape[2:]), rows)
    if whole < steps:
        state, rest = again(state, jax.tree.map(lambda x: x[whole:], inputs))
        rows = jax.tree.map(lambda *parts: jnp.concatenate(parts), rows, rest)
    return state, rows


def _segment(steps: int) -> int:
    """Steps to a segment: the divisor nearest to sqrt(steps) if it is within a factor of 2, which compiles less.

    >>> [_segment(n) for n in (1, 4, 25, 50, 100, 23)]
    [1, 2, 5, 5, 10, 5]
    """
    root = max(1, math.sqrt(steps))
    divisors = [n for n in range(1, steps + 1) if steps % n == 0 and root / 2 <= n <= 2 * root]
    return min(divisors, key=lambda n: (round(abs(math.log(n / root)), 6), n), default=math.ceil(root))
