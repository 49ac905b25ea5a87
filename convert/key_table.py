"""Key tables: which published tensor becomes which parameter, with every key on both sides accounted for.

A table is a tuple of rules, each a regular expression that a whole key must match. A key that no rule claims, that two
rules claim, or that leads to an unknown, already taken or differently shaped parameter is an error: a converter that
drops or doubles a tensor makes a network that runs and is wrong.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from convert.safetensors_file import READABLE_DTYPES, TensorInfo
from nvs_jax.errors import InputError
from nvs_jax.models.weights import ParameterSpec

_NAMED_IN_ERRORS = 3


@dataclass(frozen=True)
class Rule:
    r"""Keys that match `pattern` become the parameter `name` (a template: `\1`, `\g<0>`)."""

    pattern: str
    name: str = r"\g<0>"


@dataclass(frozen=True)
class Ignored:
    """Keys that match `pattern` are left out, because ..."""

    pattern: str
    because: str


KeyTable = tuple[Rule | Ignored, ...]


def match(
    table: KeyTable, source: Mapping[str, TensorInfo], specs: Mapping[str, ParameterSpec], where: str
) -> dict[str, str]:
    r"""Pair every parameter with the one key of `source` it is read from.

    Args:
        table: the rules.
        source: the published tensors, by key.
        specs: the parameters to fill, by name.
        where: what errors call the source.

    Returns:
        Parameter name -> published key, in the order of `specs`.

    Raises:
        InputError: keys are missing, unexpected, doubly matched, mis-shaped or not floating point; it names the
            first of each kind and counts them.

    >>> table = (Rule(r"old\.(weight|bias)", r"new.\1"), Ignored("step", "only training needs it"))
    >>> source = {"old.weight": TensorInfo((3, 2), "F32"), "step": TensorInfo((), "I64")}
    >>> match(table, source, {"new.weight": ParameterSpec((2, 3), (1, 0))}, "example")
    {'new.weight': 'old.weight'}
    """
    claims, unexpected, doubled = _claims(table, source, specs)
    doubled += [f"{' and '.join(keys)} -> {name}" for name, keys in claims.items() if len(keys) > 1]
    pairs = [(name, keys[0]) for name, keys in claims.items() if keys]
    faults = {
        "missing": [name for name, keys in claims.items() if not keys],
        "unexpected": unexpected,
        "matched twice": doubled,
        "of another shape": [
            f"{key} is {_shape(source[key].shape)}, not {_shape(specs[name].published_shape)}"
            for name, key in pairs
            if source[key].shape != specs[name].published_shape
        ],
        f"of a dtype other than {', '.join(READABLE_DTYPES)}": [
            f"{key} is {source[key].dtype}" for _, key in pairs if source[key].dtype not in READABLE_DTYPES
        ],
    }
    found = [_fault(kind, keys) for kind, keys in faults.items() if keys]
    if found:
        raise InputError(f"{where} does not fit the network its config.json describes: {'; '.join(found)}")
    return dict(pairs)


def _claims(
    table: KeyTable, source: Mapping[str, TensorInfo], specs: Mapping[str, ParameterSpec]
) -> tuple[dict[str, list[str]], list[str], list[str]]:
    """Which keys want to become each parameter; the keys no rule places; the keys several rules match."""
    claims: dict[str, list[str]] = {name: [] for name in specs}
    unexpected, doubled = [], []
    for key in source:
        matches = [(rule, found) for rule in table if (found := re.fullmatch(rule.pattern, key))]
        if len(matches) > 1:
            doubled.append(f"{key} by {' and '.join(rule.pattern for rule, _ in matches)}")
            continue
        rule, found = matches[0] if matches else (None, None)
        if isinstance(rule, Ignored):
            continue
        name = found.expand(rule.name) if rule and found else None
        if name in claims:
            claims[name].append(key)
        else:
            unexpected.append(key)
    return claims, unexpected, doubled


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a scalar"


def _fault(kind: str, keys: list[str]) -> str:
    more = f" and {len(keys) - _NAMED_IN_ERRORS} more" if len(keys) > _NAMED_IN_ERRORS else ""
    return f"{len(keys)} {kind} ({', '.join(keys[:_NAMED_IN_ERRORS])}{more})"
