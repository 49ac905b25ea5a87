"""Published configurations (JSON objects) as frozen dataclasses: a value is judged by its field's type."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from nvs_jax.errors import InputError

Config = TypeVar("Config")

# Far beyond any network: a file must not make us build a billion layers.
MOST = 2**20
MOST_ENTRIES = 1000


def class_of(published: Mapping[str, Any]) -> str | None:
    """The name of the class that a configuration is of, as diffusers and transformers say it.

    >>> class_of({"architectures": ["UMT5EncoderModel"]})
    'UMT5EncoderModel'
    """
    named, architectures = published.get("_class_name"), published.get("architectures")
    if not named and isinstance(architectures, list) and architectures:
        named = architectures[0]
    return named if isinstance(named, str) else None


def read_fields(kind: type[Config], published: Mapping[str, Any], where: str) -> Config:
    """The fields of `kind` out of a published object; keys that are no fields are left unread.

    Args:
        kind: a dataclass, whose defaults are those of the published class. Its fields are numbers (whole ones from 1),
            truth values, texts, tuples of one of these, or None.
        published: the JSON object.
        where: names it in errors.

    Raises:
        InputError: a value is not of its field's type, or out of all proportion.
    """
    types = get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):  # pyright: ignore[reportArgumentType]
        if field.name in published:
            value = published[field.name]
            value = tuple(value) if isinstance(value, list) else value
            if not _fits(value, types[field.name]):
                raise InputError(
                    f"{where}: {field.name} must be {_said(types[field.name])}, not {published[field.name]!r}"
                )
            values[field.name] = value
    return kind(**values)


def _fits(value: Any, kind: Any) -> bool:
    options = get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and len(value) <= MOST_ENTRIES and all(_fits(v, options[0]) for v in value)
    if options:
        return any(_fits(value, option) for option in options)
    if kind is int:
        return type(value) is int and 0 <= value <= MOST
    if kind is float:
        return type(value) in (int, float) and math.isfinite(value)
    return isinstance(value, kind)


def _said(kind: Any) -> str:
    options = get_args(kind)
    if get_origin(kind) is tuple:
        return f"a list, of which each is {_said(options[0])}"
    if options:
        return " or ".join(_said(option) for option in options)
    names = {int: f"a whole number up to {MOST}", float: "a number", bool: "true or false", str: "text"}
    return names.get(kind, "null")
