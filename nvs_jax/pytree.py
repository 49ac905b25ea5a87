"""Frozen dataclasses as pytrees: every field a leaf unless it is declared `static()`."""

import dataclasses
from typing import Any, TypeVar, dataclass_transform

import jax

Cls = TypeVar("Cls", bound=type)


def static(**kwargs: Any) -> Any:
    """A field that is part of the program rather than of its data: it must be hashable, and a change recompiles."""
    return dataclasses.field(metadata={"static": True}, **kwargs)


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field, static))
def pytree(cls: Cls) -> Cls:
    """Make `cls` a frozen dataclass and a pytree.

    >>> @pytree
    ... class Line:
    ...     slope: float
    ...     name: str = static(default="line")
    >>> jax.tree.leaves(Line(2.0))
    [2.0]
    """
    cls = dataclasses.dataclass(frozen=True)(cls)
    return jax.tree_util.register_dataclass(cls)
