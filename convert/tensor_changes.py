"""What sets a published tensor apart from the one a parameter is made of, besides its name: small, exact changes.

A change knows the shape it wants to see, so that a table can be checked against a file's header before anything is
read.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Change:
    """How a stored tensor becomes the wanted one.

    Attributes:
        stored_shape: shape of the stored tensor, given the wanted one's.
        apply: the wanted tensor, usually a view, given the stored one.
        part: (index, count) where the stored tensor holds `count` wanted ones.
    """

    stored_shape: Callable[[Shape], Shape]
    apply: Callable[[np.ndarray], np.ndarray]
    part: tuple[int, int] = (0, 1)


UNCHANGED = Change(lambda wanted: wanted, lambda stored: stored)
TRANSPOSED = Change(lambda wanted: wanted[::-1], lambda stored: stored.T)
"""A matrix kept as [in, out] where linear layers are published as [out, in]."""
POINTWISE = Change(lambda wanted: (*wanted, 1, 1), lambda stored: stored[..., 0, 0])
"""The matrix of a linear layer kept as a 1x1 convolution."""


def part(index: int, count: int) -> Change:
    """The one numbered `index` of `count` equal tensors kept as one, along the first axis.

    >>> part(1, 3).stored_shape((4, 2)), part(1, 3).apply(np.arange(6))
    ((12, 2), array([2, 3]))
    """
    return Change(
        lambda wanted: (count * wanted[0], *wanted[1:]),
        lambda stored: stored[index * len(stored) // count : (index + 1) * len(stored) // count],
        (index, count),
    )
