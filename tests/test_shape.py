"""Short files and few parameters: what a reader can hold in mind at once."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("nvs_jax", "convert", "scripts")
    for path in (ROOT / folder).rglob("*.py")
}
LENGTHS = {name: len(source.splitlines()) for name, source in SOURCES.items()}


def parameters(source: str) -> Iterator[tuple[str, int]]:
    """Every function, and how many things its caller decides."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            yield node.name, len(names) - (names[:1] in (["self"], ["cls"]))


def test_parameters_are_counted_whatever_their_kind_but_not_self():
    source = "class A:\n    def f(self, a, /, b, *c, d=0, **e): ...\n    def g(self): ...\ndef h(a): ..."
    assert dict(parameters(source)) == {"f": 3, "g": 0, "h": 1}


def test_no_function_has_more_than_eight_parameters():
    counted = [(name, *function) for name, source in SOURCES.items() for function in parameters(source)]
    assert [(name, function, count) for name, function, count in counted if count > 8] == []


def test_no_file_has_more_than_350_lines():
    assert not {name: lines for name, lines in LENGTHS.items() if lines > 350}


def test_half_of_the_files_have_at_most_120_lines():
    assert median(LENGTHS.values()) <= 120
