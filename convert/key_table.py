"""Key tables: which published tensor each parameter is read from, with every key on both sides accounted for.

A table is a tuple of rules, each a regular expression that the whole name of a parameter must match. A parameter
without a tensor or with two, a tensor that no parameter takes or that several take, and a tensor of another shape are
errors: a converter that drops or doubles a tensor makes a network that runs and is wrong.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from convert.safetensors_file import READABLE_DTYPES, TensorInfo
from convert.tensor_changes import UNCHANGED, Change
from nvs_jax.errors import InputError
from nvs_jax.models.weights import ParameterSpec

_NAMED_IN_ERRORS = 3


@dataclass(frozen=True)
class Rule:
    r"""Parameters whose name matches `pattern` are read from `key` (a template: `\1`, `\g<0>`).

    Attributes:
        pattern: of the whole name of a parameter.
        key: of its tensor.
        older: the same in older files; a file has one of them.
        change: what is done to the tensor.
    """

    pattern: str
    key: str = r"\g<0>"
    older: tuple[str, ...] = ()
    change: Change = UNCHANGED


@dataclass(frozen=True)
class Ignored:
    """Tensors whose key matches `pattern` are left out, because ..."""

    pattern: str
    because: str


KeyTable = tuple[Rule | Ignored, ...]


class Taken(NamedTuple):
    """Where a parameter comes from: a published key, and what is done to its tensor."""

    key: str
    change: Change


def match(
    table: KeyTable, source: Mapping[str, TensorInfo], specs: Mapping[str, ParameterSpec], where: str
) -> dict[str, Taken]:
    r"""Pair every parameter with the one key of `source` it is read from.

    Args:
        table: the rules.
        source: the published tensors, by key.
        specs: the parameters to fill, by name.
        where: what errors call the source.

    Returns:
        Parameter name -> where it comes from, in the order of `specs`.

    Raises:
        InputError: keys are missing, unexpected, doubly matched, mis-shaped or not floating point; it names the
            first of each kind and counts them.

    >>> table = (Rule(r"new\.(weight|bias)", r"old.\1"), Ignored("step", "only training needs it"))
    >>> source = {"old.weight": TensorInfo((3, 2), "F32"), "step": TensorInfo((), "I64")}
    >>> match(table, source, {"new.weight": ParameterSpec((2, 3), (1, 0))}, "example")["new.weight"].key
    'old.weight'
    """
    taken, missing, doubled = _take(table, source, specs)
    claimed = {key for key, _ in taken.values()}
    ignored = _compiled(rule.pattern for rule in table if isinstance(rule, Ignored))
    passed_over = {key for key in source if any(pattern.fullmatch(key) for pattern in ignored)}
    expected = {name: change.stored_shape(specs[name].published_shape) for name, (_, change) in taken.items()}
    faults = {
        "missing": missing,
        "unexpected": [key for key in source if key not in claimed | passed_over],
        "matched twice": doubled + [f"{key}, read and ignored" for key in source if key in claimed & passed_over],
        "of another shape": [
            f"{key} is {_shape(source[key].shape)}, not {_shape(expected[name])}"
            for name, (key, _) in taken.items()
            if source[key].shape != expected[name]
        ],
        f"of a dtype other than {', '.join(READABLE_DTYPES)}": [
            f"{key} is {source[key].dtype}" for key, _ in taken.values() if source[key].dtype not in READABLE_DTYPES
        ],
    }
    if len(missing) == len(specs) > _NAMED_IN_ERRORS and source:
        raise InputError(
            f"{where} is another network's: none of its {len(source)} tensors ({next(iter(source))}, ...) is one of "
            f"{len(specs)} that its configuration asks for ({missing[0]}, ...): check which model it is of"
        )
    found = [_fault(kind, list(dict.fromkeys(keys))) for kind, keys in faults.items() if keys]
    if found:
        raise InputError(f"{where} does not fit the network its configuration describes: {'; '.join(found)}")
    return taken


def _take(
    table: KeyTable, source: Mapping[str, TensorInfo], specs: Mapping[str, ParameterSpec]
) -> tuple[dict[str, Taken], list[str], list[str]]:
    """What each parameter takes; the keys that are missing; what is matched twice, by rules or by parameters."""
    rules = [rule for rule in table if isinstance(rule, Rule)]
    patterns = _compiled(rule.pattern for rule in rules)
    taken: dict[str, Taken] = {}
    missing, doubled = [], []
    for name in specs:
        matches = [
            (rule, found) for rule, pattern in zip(rules, patterns, strict=True) if (found := pattern.fullmatch(name))
        ]
        if len(matches) != 1:
            doubled += [f"{name} by {' and '.join(rule.pattern for rule, _ in matches)}"] if matches else []
            missing += [] if matches else [name]
            continue
        rule, found = matches[0]
        names = [found.expand(template) for template in (rule.key, *rule.older)]
        present = [key for key in names if key in source]
        if len(present) > 1:
            doubled.append(f"{' and '.join(present)} -> {name}")
        elif present:
            taken[name] = Taken(present[0], rule.change)
        else:
            missing.append(names[0])
    return taken, missing, doubled + _shared(taken)


def _shared(taken: Mapping[str, Taken]) -> list[str]:
    """Keys that several parameters read, unless each reads another part of the tensor, and all parts are read."""
    readers: dict[str, list[str]] = {}
    for name, (key, _) in taken.items():
        readers.setdefault(key, []).append(name)
    return [
        f"{key} -> {' and '.join(names)}"
        for key, names in readers.items()
        if sorted(taken[name].change.part for name in names)
        != [(i, taken[names[0]].change.part[1]) for i in range(taken[names[0]].change.part[1])]
    ]


def _compiled(patterns: Iterable[str]) -> list[re.Pattern[str]]:
    return [re.compile(pattern) for pattern in patterns]


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a scalar"


def _fault(kind: str, keys: list[str]) -> str:
    more = f" and {len(keys) - _NAMED_IN_ERRORS} more" if len(keys) > _NAMED_IN_ERRORS else ""
    return f"{len(keys)} {kind} ({', '.join(keys[:_NAMED_IN_ERRORS])}{more})"
