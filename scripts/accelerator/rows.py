"""What a stage yields, and what is kept of it. No JAX and no PyTorch here."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """A finding.

    Attributes:
        what: was measured.
        figures: by what they are, with the unit.
        note: for people: why there are none, or what is special.
        failed: whether something went wrong.
    """

    what: str
    figures: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Entry:
    """A row, where it comes from and what it ran on.

    Attributes:
        stage: its name.
        side: "jax" or "torch".
        size: its name.
        variant: of XLA's flags.
        environment: card, versions, flags; texts by what they are.
        clocks: of the card when the row came in; empty where nvidia-smi is not.
    """

    stage: str
    side: str
    size: str
    variant: str
    environment: Mapping[str, str]
    what: str
    figures: Mapping[str, float]
    note: str = ""
    failed: bool = False
    clocks: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What is measured on what: of two of the same the later one counts."""
        return self.stage, self.size, self.variant, self.environment.get("card", ""), self.what

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no numbers that are none."""
        numbers = {name: value if math.isfinite(value) else None for name, value in self.figures.items()}
        return asdict(self) | {"figures": numbers}


def read_entry(stored: Mapping[str, Any]) -> Entry:
    """The inverse of `Entry.as_dict`."""
    numbers = {name: math.nan if value is None else float(value) for name, value in stored["figures"].items()}
    return Entry(**{**stored, "figures": numbers})
