"""What is chosen by a name, and known without being imported: modules of a folder, entry points of other packages.

A solver is a module in `nvs_jax/diffusion/solvers/`; its name is the module's, and the module's docstring begins
`TITLE: what it is.` Another package names its own in the group nvs_jax.solvers of its entry points, and guidances in
nvs_jax.guidances. No JAX here.
"""

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nvs_jax.errors import InputError
from nvs_jax.saying import say

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_PACKAGE = Path(__file__).parents[1]
_SOLVERS = "nvs_jax.diffusion.solvers"


@dataclass(frozen=True)
class Choice:
    """What a name stands for.

    Attributes:
        name: as it is chosen.
        title: as tables call it.
        about: what it is, in a sentence without its full stop.
        entry: of another package; None: a module of ours.
    """

    name: str
    title: str
    about: str
    entry: "EntryPoint | None" = None


def solvers() -> dict[str, Choice]:
    """All solvers, by name: ours, then those of other packages.

    >>> solvers()["heun"].title
    'Heun'
    """
    folder = _PACKAGE.joinpath(*_SOLVERS.split(".")[1:])
    ours = {path.stem: _described(path) for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}
    return _of_others("nvs_jax.solvers") | ours


def other_guidances() -> dict[str, Choice]:
    """Guidances of other packages, by name."""
    return _of_others("nvs_jax.guidances")


def load_solver(name: str) -> Any:
    """The module of one of our solvers, or what the entry point of another package names.

    Raises:
        InputError: there is none of this name, several packages have one, or it cannot be imported.
    """
    known = solvers()
    if name not in known:
        raise InputError(f"there is no solver {name!r}: choose {', '.join(known)}")
    if known[name].entry is not None:
        return _load("nvs_jax.solvers", name)
    for entry in _entries("nvs_jax.solvers"):
        if entry.name == name:
            say(f"the solver {name} is this package's own; that of {_owner(entry)} is ignored")
    return import_module(f"{_SOLVERS}.{name}")


def load_guidance(name: str) -> Any:
    """What the entry point of another package's guidance names.

    Raises:
        InputError: there is none of this name, several packages have one, or it cannot be imported.
    """
    return _load("nvs_jax.guidances", name)


def _load(group: str, name: str) -> Any:
    found, kind = [entry for entry in _entries(group) if entry.name == name], group.rpartition(".")[2].removesuffix("s")
    if len(found) != 1:
        of = " and ".join(map(_owner, found))
        raise InputError(f"{of} each bring a {kind} {name!r}: keep one" if found else f"there is no {kind} {name!r}")
    try:
        return found[0].load()
    except Exception as error:  # another package's code, which may fail in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"the {kind} {name!r} of {_owner(found[0])} cannot be imported: {reason}") from error


def _described(path: Path) -> Choice:
    summary = (ast.get_docstring(ast.parse(path.read_bytes())) or path.stem).partition("\n\n")[0]
    title, _, about = " ".join(summary.split()).removesuffix(".").partition(": ")
    return Choice(path.stem, title, about)


def _of_others(group: str) -> dict[str, Choice]:
    return {entry.name: Choice(entry.name, entry.name, f"of {_owner(entry)}", entry) for entry in _entries(group)}


def _entries(group: str) -> "list[EntryPoint]":
    """Of all packages that are installed, sorted by name."""
    if not any(group.encode() in names for names in _entry_point_files(tuple(sys.path))):
        return []
    from importlib.metadata import entry_points  # takes as long as half of --help

    return sorted(set(entry_points(group=group)), key=lambda entry: (entry.name, entry.value))


@cache
def _entry_point_files(folders: tuple[str, ...]) -> tuple[bytes, ...]:
    """What the packages in these folders name; read once, for every command waits for it."""
    return tuple(_read_entry_points(folders))


def _read_entry_points(folders: tuple[str, ...]) -> Iterator[bytes]:
    for folder in dict.fromkeys(folders):
        try:
            inside = [one.path for one in os.scandir(folder or ".") if one.name.endswith((".dist-info", ".egg-info"))]
        except OSError:  # a zip archive, or what is not there
            continue
        for path in inside:
            try:
                yield Path(path, "entry_points.txt").read_bytes()
            except OSError:
                continue


def _owner(entry: "EntryPoint") -> str:
    return entry.dist.name if entry.dist else entry.value
