"""Names that settings once had: whoever still uses one is told what it is called now. No JAX here."""

from collections.abc import Iterator, Sequence
from typing import Any

from nvs_jax.errors import InputError

FORMER = {
    "weights": "trust",
}
"""Dotted name of a setting, or of a group of them, as it was -> as it is."""


def refuse_former_names(values: Any) -> None:
    """Refuse settings by name, as YAML holds them, where one has a name that it had once.

    >>> refuse_former_names({"weights": {"v2": 3.0}})
    Traceback (most recent call last):
    ...
    nvs_jax.errors.InputError: weights is now called trust

    Raises:
        InputError: a former name.
    """
    for name in _names(values):
        if name in FORMER:
            raise InputError(f"{name} is now called {FORMER[name]}")


def refuse_former_options(arguments: Sequence[str]) -> None:
    """Refuse arguments of a command that has all settings as options, where one has a name that it had once.

    Raises:
        InputError: a former name.
    """
    for argument in arguments:
        option = argument.partition("=")[0]
        if option.startswith("--") and (now := _present(option[2:])):
            raise InputError(f"{option} is now called --{now}")


def _names(values: Any, group: str = "") -> Iterator[str]:
    """Dotted names of everything in a mapping of mappings, groups before what they hold."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield f"{group}{key}"
            yield from _names(value, f"{group}{key}.")


def _present(option: str) -> str | None:
    """What an option of a setting is called now, if it was renamed: it, or the group that it is in."""
    group, dot, rest = option.partition(".")
    while dot:
        step, dot, after = rest.partition(".")
        if (now := FORMER.get(group.replace("-", "_"))) is not None:
            return f"{now}.{rest}".replace("_", "-")
        group, rest = f"{group}.{step}", after
    now = FORMER.get(group.replace("-", "_"))
    return now.replace("_", "-") if now is not None and "." in group else None
