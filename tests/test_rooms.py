"""Imports point one way: a module knows those of its own room and of the rooms below it."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    ("errors", "pytree", "windows", "configs", "embedded"),
    ("remote",),
    ("saying", "sharding"),
    ("disk",),
    ("settings", "media"),
    ("geometry", "diffusion"),
    ("models", "scenes"),
    ("checkpoint",),
    ("convert",),
    ("loading",),
    ("inputs", "planning", "checks"),
    ("steering",),
    ("pipeline",),
    ("evaluation", "runs"),
    ("studio",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
"""From the ground up; rooms of one floor do not know each other."""
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("nvs_jax", "convert")
    for path in (ROOT / package).rglob("*.py")
}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] == "convert" else parts[1]


def imported(path: Path) -> Iterator[str]:
    """Modules of ours that a file imports, inside functions and for types alone, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


ARROWS = {
    module: {name for name in imported(path) if name in MODULES and name != "nvs_jax"}
    for module, path in MODULES.items()
    if module != "nvs_jax"  # it hands on what the others have when it is asked, and has the version
}


def test_every_module_has_a_room():
    assert {room(module) for module in ARROWS} == FLOOR.keys()


def test_no_arrow_runs_up():
    between = [(module, name) for module, names in ARROWS.items() for name in names if room(name) != room(module)]
    assert [(module, name) for module, name in between if FLOOR[room(name)] >= FLOOR[room(module)]] == []


def test_no_modules_go_round_in_a_circle():
    """Packages that hand on names stand for the modules that have them."""
    modules = {module: names - {module} for module, names in ARROWS.items() if MODULES[module].name != "__init__.py"}
    assert tuple(TopologicalSorter(modules).static_order())


@pytest.mark.parametrize(
    ("own", "readers"),
    [
        ("nvs_jax.models.svd", {"convert.diffusers_layout", "convert.single_file", "convert.single_file_table"}),
        ("nvs_jax.models.wan", {"convert.wan_layout", "convert.wan_original_table"}),
    ],
)
def test_nobody_names_a_family_of_models_but_itself_and_its_readers(own, readers):
    """All others find it through `nvs_jax.models.families`."""
    others = {module: names for module, names in ARROWS.items() if not module.startswith(own) and module not in readers}
    assert {module for module, names in others.items() if any(name.startswith(own) for name in names)} == set()


def test_the_top_is_a_short_list():
    assert len(list((ROOT / "nvs_jax").glob("*.py"))) <= 12
