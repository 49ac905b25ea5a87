"""Results into the documentation: what a script wrote last stands between its two markers, all else is left."""

from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.media import atomic_path

END = "<!-- end of results -->"


def begin(writer: str) -> str:
    """The line after which results of a script stand.

    >>> begin("scripts/evaluate.py")
    '<!-- results: written by scripts/evaluate.py -->'
    """
    return f"<!-- results: written by {writer} -->"


def write_results(page: Path, writer: str, text: str) -> None:
    """Put `text` between the markers of `writer`, in place of what stood there.

    Args:
        page: a page in Markdown.
        writer: the script, as its marker names it.
        text: in Markdown.

    Raises:
        InputError: the page is missing, or a marker is.
    """
    if not page.is_file():
        raise InputError(f"{page} is missing: name the folder with the documentation by --docs")
    head, opening, rest = page.read_text(encoding="utf-8").partition(begin(writer))
    _, closing, tail = rest.partition(END)
    if not (opening and closing):
        raise InputError(f"{page} has lost its markers: {begin(writer)} and {END}")
    with atomic_path(page) as path:
        path.write_text(f"{head}{opening}\n\n{text.strip()}\n\n{closing}{tail}", encoding="utf-8")
