"""What one check found, and what all of them say together. No JAX here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One measured number and the range it must lie in, ends included.

    >>> print(Outcome("round trip of a clip", 31.4159, low=28, unit="dB"))
    ok    round trip of a clip                                             31.42 dB  expected: at least 28 dB
    >>> Outcome("a ratio", math.nan, high=1.0).ok
    False
    """

    name: str
    measured: int | float
    low: int | float = -math.inf
    high: int | float = math.inf
    unit: str = ""

    @property
    def ok(self) -> bool:
        """Whether the number lies in its range; one that is not finite never does."""
        return math.isfinite(self.measured) and self.low <= self.measured <= self.high

    @property
    def expected(self) -> str:
        """The range in words."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low == self.high:
            return f"{self.low:g}{unit}"
        if math.isinf(self.high):
            return f"at least {self.low:g}{unit}"
        if math.isinf(self.low):
            return f"at most {self.high:g}{unit}"
        return f"{self.low:g} to {self.high:g}{unit}"

    def __str__(self) -> str:
        verdict = "ok" if self.ok else "FAIL"
        return f"{verdict:<6}{self.name:<60}{self.measured:>10.4g} {self.unit:<3} expected: {self.expected}"


def verdict(name: str, outcomes: Sequence[Outcome]) -> str:
    """The last line of a report.

    >>> verdict("svd-xt", [Outcome("a", 1.0, low=0), Outcome("b", 1.0, low=2)])
    'svd-xt: NOT SOUND, 1 of 2 checks failed: b'
    """
    failed = [outcome.name for outcome in outcomes if not outcome.ok]
    if failed:
        return f"{name}: NOT SOUND, {len(failed)} of {len(outcomes)} checks failed: {'; '.join(failed)}"
    return f"{name}: sound, all {len(outcomes)} checks passed"
