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
    fields = dataclasses.fields(cls)
    still = tuple(field.name for field in fields if field.metadata.get("static"))
    moving = tuple(field.name for field in fields if not field.metadata.get("static"))

    def flatten(x: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(getattr(x, name) for name in moving), tuple(getattr(x, name) for name in still)

    def flatten_with_keys(x: Any) -> tuple[tuple[tuple[Any, Any], ...], tuple[Any, ...]]:
        leaves, constants = flatten(x)
        return tuple(zip(map(jax.tree_util.GetAttrKey, moving), leaves, strict=True)), constants

    def unflatten(constants: Any, leaves: Any) -> Any:
        return cls(**dict(zip(moving, leaves, strict=True)), **dict(zip(still, constants, strict=True)))

    # Not `register_dataclass`: in JAX 0.10 the structures of two dataclasses with as many fields are equal, so that jit
    # now and then takes the program of one for the other.
    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls
