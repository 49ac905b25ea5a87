"""Which batch pays: doubled while that gives clearly more examples a second."""

from collections.abc import Mapping


def next_batch(speeds: Mapping[int, float], first: int, largest: int, gain: float) -> tuple[int, bool]:
    """The batch to train with next.

    Args:
        speeds: examples a second with the batches tried so far, each twice the one before; 0 for one that does not fit
            the memory.
        first: to try.
        largest: to try.
        gain: how many times more examples a second a batch must give than half of it.

    Returns:
        The batch, and whether it is the one to stay with.

    >>> next_batch({}, 8, 64, 1.3), next_batch({8: 100.0}, 8, 64, 1.3)
    ((8, False), (16, False))
    >>> next_batch({8: 100.0, 16: 190.0, 32: 220.0}, 8, 64, 1.3)
    (16, True)
    """
    if not speeds:
        return first, False
    tried = sorted(speeds)
    last = tried[-1]
    if len(tried) > 1 and speeds[last] < gain * speeds[tried[-2]]:
        return tried[-2], True
    return (last, True) if 2 * last > largest else (2 * last, False)
