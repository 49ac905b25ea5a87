"""What the command says of a mistake in its arguments: one line, in place of the argument parser's boxes."""

import contextlib
import io
import os
import re
import shutil
from collections.abc import Iterator

from nvs_jax.errors import InputError

_FRAME = re.compile(r"^\s*[│|]\s|\s*[│|]\s*$")
_RULE = re.compile(r"^\s*[─-]{5,}\s*$")
_HELP = re.compile(r"nvs-jax(?: [a-z]+)? --help")
# Option names and what they take are indented by 4; their explanations, by 8, do not fit a line.
_EXPLANATION = " " * 8

# What the parser says, and what a user who knows no Python would rather read. What is not listed stays as it is.
_REWORDED = (
    (r"Error parsing (\S+): invalid literal for int\(\) with base 10: (.*)", r"\1 must be a whole number, not \2"),
    (r"Error parsing (\S+): could not convert string to float: (.*)", r"\1 must be a number, not \2"),
    (
        r"Error parsing (\S+): no type matching (?:\{None\}\|)?(.*) could be instantiated from \[(.*?)\]\..*",
        r"\1 must be \2, not \3",
    ),
    (r"(\S+) must be INT, not", r"\1 must be a whole number, not"),
    (r"(\S+) must be FLOAT, not", r"\1 must be a number, not"),
    (r"Error parsing (\S+): Could not parse arguments \[(.*?)\] into .*", r"\1 cannot be \2"),
    (r"invalid choice (\S+) for argument '(\S+?)'. Expected one of \(?(.*?),?\)?\.$", r"\2 cannot be \1: choose \3"),
    (r"Missing value for argument '(.*?)'. Expected 1 values\.", r"\1 needs a value"),
    (r"Missing value for argument '(.*?)'. Expected (\d+) values\.", r"\1 needs \2 values"),
    (r"Missing from (nvs-jax \w+):", r"\1 needs"),
    (r"Expected one of \{(.*)\}\.", r"nothing to do: choose \1"),
    (r"Unrecognized options:", "not understood:"),
    (r"; Available subcommands:", "; choose"),
    (r"; Perhaps you meant: (-\S+).*", r"; perhaps you meant \1"),
)


NARROWEST = 40
"""Columns of a terminal. In fewer than a dozen the parser's help does not come to an end."""


@contextlib.contextmanager
def wide_enough() -> Iterator[None]:
    """Around the parser: a terminal, or COLUMNS, narrower than help can be set in counts as one of 40 columns."""
    former = os.environ.get("COLUMNS")
    if shutil.get_terminal_size().columns < NARROWEST:
        os.environ["COLUMNS"] = str(NARROWEST)
    try:
        yield
    finally:
        os.environ.pop("COLUMNS", None)
        if former is not None:
            os.environ["COLUMNS"] = former


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Around the parser: the box with which it exits becomes an InputError.

    Raises:
        InputError: the parser refused its arguments.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            yield
    except SystemExit as stop:
        if stop.code != 2:
            raise
        raise InputError(_ours(stop) or one_line(said.getvalue())) from None


def _ours(error: BaseException | None) -> str | None:
    """The message of the InputError that made the parser stop, if one did: the settings judge their own values."""
    while error is not None and not isinstance(error, InputError):
        error = error.__context__
    return None if error is None else str(error)


def one_line(box: str) -> str:
    r"""The sentence in a box of tyro's, without its frame and the options' explanations.

    >>> one_line("╭─ Unrecognized options ───╮\n│ Unrecognized options: --go │\n│ ────────── │\n╰─────╯")
    'not understood: --go'
    """
    lines = [_FRAME.sub("", line) for line in box.splitlines()[1:] if not line.startswith("╰")]
    usage = _HELP.search(" ".join(lines))
    sentence = "; ".join(_wanted(_blocks(lines)))
    for pattern, replacement in _REWORDED:
        sentence = re.sub(pattern, replacement, sentence)
    return f"{sentence} (see {usage[0]})" if usage else sentence


def _blocks(lines: list[str]) -> list[str]:
    """The parts of a box between its rules, each in one line."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if _RULE.match(line):
            blocks.append([])
        elif not line.startswith(_EXPLANATION):
            blocks[-1].append(line)
    return [text for block in blocks if (text := " ".join(" ".join(block).split()))]


def _wanted(blocks: list[str]) -> list[str]:
    """What is wrong and what was meant; not the options' help."""
    more = ("Unrecognized options:", "Perhaps you meant:", "Available subcommands:")
    return blocks[:1] + [text for text in blocks[1:] if text.startswith(more)]
