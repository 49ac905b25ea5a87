"""The release's table of trust: a grid search over (v1, v2, v3), in float64 numpy.

Kept because the release's numbers depend on it; `nvs_jax.diffusion.trust` needs no search. In float32 the
search picks other triples, hence numpy rather than JAX.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

K, B = 0.8, -0.2  # the release's constants in place of (17)'s 1 and 0
V1 = np.linspace(0.001, 0.009, 9)
V2 = np.arange(50.0, 1001.0, 50.0)
V3 = np.arange(10.0, 101.0, 10.0)

Table = Float[np.ndarray, "steps f"]


class ReferenceTrust(NamedTuple):
    """The table and the (v1, v2, v3) it was made with."""

    table: Table
    coefficients: tuple[float, float, float]


def reference_trust(sigmas: Float[np.ndarray, "steps"], distances: Float[np.ndarray, "f"]) -> ReferenceTrust:
    """Search for the first triple with the most entries above 1/2, as the release.

    A triple must leave no entry without a root of the release's quadratic. Where every triple does, which stops the
    release, the first of those that leave the fewest is taken, with w = 1/2 there: the kink of (17).

    Args:
        sigmas: noise levels, largest first, without the final 0.
        distances: |dp| of each frame, 0 at a given view; divided by the largest here.

    Returns:
        w[step, frame], 1 at given views, and the triple.

    >>> print(reference_trust(np.array([700.0, 1.0]), np.array([0.0, 0.5, 1.0])).table.round(2))
    [[1. 1. 1.]
     [1. 0. 0.]]
    """
    sigma = np.asarray(sigmas, np.float64) / np.max(sigmas)
    distance = np.asarray(distances, np.float64) / max(np.max(distances), np.finfo(np.float64).tiny)
    given = distance == 0
    apart = np.unique(distance[~given], return_counts=True)
    q = V3[:, None, None] * apart[0] - V2[:, None, None, None] * sigma[:, None]
    scores = np.stack([_score(v1, q, apart[1]) for v1 in V1])
    # Fewest without a root first: an entry more outweighs all that exceed 1/2.
    ranks = scores[..., 1] - scores[..., 0] * (len(sigma) * len(distance) + 1)
    i, j, k = np.unravel_index(np.argmax(ranks), ranks.shape)
    best = (float(V1[i]), float(V2[j]), float(V3[k]))
    return ReferenceTrust(_table(best, sigma, distance), best)


def _score(
    v1: float, q: Float[np.ndarray, "v2 v3 steps d"], frames: Int[np.ndarray, "d"]
) -> Int[np.ndarray, "v2 v3 2"]:
    """For every (v2, v3): how many entries have no root, and how many exceed w = 1/2?

    No root need be computed. For B = K - 1 the discriminant is K q (K q + 4 v1) and the product of the roots 1/K^2, so
    that a root above 1 exists where q <= -4 v1/K, and one in (0, 1] where q >= v1 (2 + K + 1/K)/K.

    Args:
        v1: of the triple.
        q: Q of every level and every distance that is not 0.
        frames: how many frames are at each distance.
    """
    above = q <= -4 * v1 / K
    below = q >= v1 * (2 + K + 1 / K) / K
    return np.stack([(~(above | below)).sum(-2) @ frames, above.sum(-2) @ frames], axis=-1)


def _table(coefficients: tuple[float, float, float], sigma: np.ndarray, distance: np.ndarray) -> Table:
    v1, v2, v3 = coefficients
    q = v3 * distance - v2 * sigma[:, None]
    above, below = _first_root_above_one(v1, q), _first_root_below_one(v1, q)
    lam = np.where(np.isnan(above), below, above)
    lam = np.where(np.isnan(lam), 1.0, lam)
    return np.where(distance == 0, 1.0, lam / (1 + lam))


def _roots(v1: float, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both roots lambda of the release's quadratic; NaN where they are not real."""
    p = 2 * v1 + K * q
    with np.errstate(invalid="ignore"):
        root = np.sqrt((2 * K * v1 + K * q) ** 2 - 4 * K * v1 * (K * v1 + q * B))
    return (-p + root) / (2 * K * v1), (-p - root) / (2 * K * v1)


def _first(roots: tuple[np.ndarray, np.ndarray], low: float, high: float) -> np.ndarray:
    """The first of the two roots in (low, high], else NaN."""
    first, second = (np.where((root > low) & (root <= high), root, np.nan) for root in roots)
    return np.where(np.isnan(first), second, first)


def _first_root_above_one(v1: float, q: np.ndarray) -> np.ndarray:
    return _first(_roots(v1, q), 1.0, np.inf)


def _first_root_below_one(v1: float, q: np.ndarray) -> np.ndarray:
    return _first(_roots(-v1, q), 0.0, 1.0)
