"""Means over scenes, and how far they can be trusted."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t


class Interval(NamedTuple):
    """A mean, and half the width of its 95 % confidence interval; NaN where a single value says nothing of it."""

    mean: float
    half: float

    def __str__(self) -> str:
        """As in a table, with digits enough for the quantities here; a dash where there is nothing."""
        return self.text(2 if abs(self.mean) >= 1 or self.half >= 0.05 else 3)

    def text(self, digits: int) -> str:
        """With this many digits after the point."""
        if math.isnan(self.mean):
            return "-"
        return f"{self.mean:.{digits}f}" + ("" if math.isnan(self.half) else f" ± {self.half:.{digits}f}")


def interval(values: Sequence[float]) -> Interval:
    """Of independent scenes, by Student's t; values that are NaN are left out.

    >>> print(interval([1.0, 2.0, 3.0]))
    2.00 ± 2.48
    """
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if len(known) < 2:
        return Interval(float(known[0]) if len(known) else math.nan, math.nan)
    half = float(t.ppf(0.975, len(known) - 1)) * float(known.std(ddof=1)) / math.sqrt(len(known))
    return Interval(float(known.mean()), half)


def paired_interval(values: Sequence[float], others: Sequence[float]) -> Interval:
    """Of the differences `values - others`, scene by scene: far narrower than both alone where scenes differ."""
    return interval((np.asarray(values, np.float64) - np.asarray(others, np.float64)).tolist())
