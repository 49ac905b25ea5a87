"""docs/api.md lists what is public: what rooms hand on is on it, what is on it exists, pages use nothing else."""

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
SECTION = re.compile(r"^### `(nvs_jax[\w.]*)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
PUBLIC = {
    module: re.findall(r"^- `(\w+)`: ", text, re.MULTILINE)
    for module, text in SECTION.findall((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))
}
"""Module -> its public names, as the page has them."""
INSIDE = {
    "nvs_jax.disk",
    "nvs_jax.remote",
    "nvs_jax.models.attention",
    "nvs_jax.media.video",
    "nvs_jax.media.cameras.colmap",
}
"""Packages whose names are for other modules, or are handed on by the package above."""
HAND_ON = [
    name
    for path in sorted((ROOT / "nvs_jax").rglob("__init__.py"))
    if "__all__" in path.read_text(encoding="utf-8")
    and (name := ".".join(path.parent.relative_to(ROOT).parts)) not in INSIDE
]
TEXTS = [
    path
    for pattern in ("*.md", "docs/*.md", "docs/*.ipynb", "nvs_jax/**/*.py", "nvs_jax/**/*.md", "convert/*.py")
    for path in sorted(ROOT.glob(pattern))
    if path.name != "CHANGELOG.md"
]
NO_NAMES = {"nvs_jax.json"}


def resolve(dotted: str) -> object:
    """The module, or what a module has, of this name.

    Raises:
        AttributeError: there is none.
    """
    parts = dotted.split(".")
    found: object = import_module(parts[0])
    for end, part in enumerate(parts[1:], 2):
        if isinstance(found, ModuleType) and not hasattr(found, part):
            try:
                import_module(".".join(parts[:end]))
            except ModuleNotFoundError as error:
                raise AttributeError(dotted) from error
        found = getattr(found, part)
    return found


def code_for_users() -> Iterator[str]:
    """The Python that pages and notebook show."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        yield from re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    tour = json.loads((ROOT / "docs" / "tour.ipynb").read_text(encoding="utf-8"))
    yield from ("".join(cell["source"]) for cell in tour["cells"] if cell["cell_type"] == "code")


@pytest.mark.parametrize("room", HAND_ON)
def test_all_that_a_room_hands_on_is_on_the_page(room):
    assert PUBLIC[room] == sorted(import_module(room).__all__)


@pytest.mark.parametrize("module", PUBLIC)
def test_all_names_on_the_page_exist(module):
    assert PUBLIC[module]
    assert [name for name in PUBLIC[module] if not hasattr(import_module(module), name)] == []


def test_users_are_told_to_import_public_names_only():
    imports = [
        (node.module, alias.name)
        for code in code_for_users()
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nvs_jax")
        for alias in node.names
    ]
    assert len(imports) > 20
    assert [(module, name) for module, name in imports if module and name not in PUBLIC.get(module, ())] == []


def test_names_and_files_in_the_text_exist():
    missing = []
    for text in TEXTS:
        content = text.read_text(encoding="utf-8")
        for name in set(re.findall(r"`(nvs_jax(?:\.\w+)+)[`(]", content)) - NO_NAMES:
            try:
                resolve(name)
            except AttributeError:
                missing.append(f"{text}: {name}")
        for named in re.findall(r"`((?:nvs_jax|convert|configs|docs|scripts|tests)/[\w./]+)`", content):
            if not (ROOT / named).exists() and not Path(named).name.isupper():  # configs/models/MODEL
                missing.append(f"{text}: {named}")
    assert missing == []
