"""What a number of the settings can be: a range stands at its field, and is checked whenever settings are made.

Outside of it a run would end in the middle, with an error that names no setting, or take all memory. Ranges are far
wider than what is sensible. A number without one must be finite, and no larger than 1e9. No JAX here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Literal

from nvs_jax.errors import InputError

TINY = 1e-6
"""Smallest of what must be positive."""
_LONGEST = 30
"""Characters of a number in an error."""


@dataclass(frozen=True)
class Between:
    """At a field, `Annotated[float, Between(0, 1)]`: where every number in it lies.

    Attributes:
        low: the smallest.
        high: the largest.
        without: which of the two are left out.

    >>> f"fov {Between(0, 180, 'both')}, share {Between(0, 1)}"
    'fov must be more than 0 and less than 180, share must lie between 0 and 1'
    """

    low: float
    high: float
    without: Literal["neither", "low", "both"] = "neither"

    def holds(self, number: float) -> bool:
        """Is it in the range? NaN never is."""
        above = self.low <= number if self.without == "neither" else self.low < number
        return above and (number < self.high if self.without == "both" else number <= self.high)

    def __str__(self) -> str:
        low, high = (str(end) if isinstance(end, int) else f"{end:g}" for end in (self.low, self.high))
        if self.without == "neither":
            return f"must lie between {low} and {high}"
        return f"must be more than {low} and {'less than' if self.without == 'both' else 'at most'} {high}"


_FINITE = Between(-1e9, 1e9)


class Ranged:
    """Base of dataclasses of settings: what is made of them is within its ranges.

    `class CameraSettings(Ranged, group="camera.")` says what stands before its fields' names in errors; options, whose
    group begins with --, are written with hyphens. One with a `__post_init__` of its own calls this one.

    Raises:
        InputError: a number is not finite, or outside its range; the message names it.
    """

    _group: ClassVar[str] = ""

    def __init_subclass__(cls, group: str | None = None, **others: Any) -> None:
        super().__init_subclass__(**others)
        if group is not None:
            cls._group = group

    def __post_init__(self) -> None:
        for name, allowed in _ranges(type(self)).items():
            for number in _numbers(getattr(self, name)):
                if not allowed.holds(number):
                    called = name.replace("_", "-") if self._group.startswith("--") else name
                    raise InputError(f"{self._group}{called} {allowed}, not {str(number)[:_LONGEST]}")


def require(condition: bool, message: str) -> None:
    """Of a condition between fields: an InputError where it is not met."""
    if not condition:
        raise InputError(message)


def require_interval(name: str, interval: tuple[float, float] | None) -> None:
    """Two numbers must not fall."""
    require(interval is None or interval[0] <= interval[1], f"{name} must not end before it begins")


@cache
def _ranges(cls: Any) -> dict[str, Between]:
    """The range of every field of a dataclass."""
    found = {}
    for field in fields(cls):
        notes: Any = getattr(field.type, "__metadata__", ())  # of Annotated
        found[field.name] = next((note for note in notes if isinstance(note, Between)), _FINITE)
    return found


def _numbers(value: Any) -> Iterator[float]:
    """Every number in a field, in tuples of tuples, too; truth values are none, and groups check their own."""
    if isinstance(value, tuple):
        for entry in value:
            yield from _numbers(entry)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
