"""Looking into programs before they are compiled."""

from collections.abc import Iterator
from typing import Any


def equations(jaxpr: Any) -> Iterator[Any]:
    """Every operation, those inside loops and functions included."""
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            for part in value if isinstance(value, tuple | list) else (value,):
                if hasattr(part, "jaxpr") or hasattr(part, "eqns"):
                    yield from equations(getattr(part, "jaxpr", part))
