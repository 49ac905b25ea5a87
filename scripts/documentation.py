"""Results into the documentation: what a script wrote last stands between its two markers, all else is left."""

from pathlib import Path

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError

END = "<!-- end of results -->"


def begin(writer: str) -> str:
    """The line after which results of a script stand.

    >>> begin("scripts/evaluate.py")
    '<!-- results: written by scripts/evaluate.py -->'
    """
    return f"<!-- results: written by {writer} -->"


def read_page(page: Path, writer: str) -> tuple[str, str]:
    """What stands before and after the results of `writer`, its markers included.

    Args:
        page: a page in Markdown.
        writer: the script, as its marker names it.

    Raises:
        InputError: the page is missing, or a marker is.
    """
    if not page.is_file():
        raise InputError(f"{page} is missing: name where the documentation is")
    head, opening, rest = page.read_text(encoding="utf-8").partition(begin(writer))
    _, closing, tail = rest.partition(END)
    if not (opening and closing):
        raise InputError(f"{page} has lost its markers: {begin(writer)} and {END}")
    return head + opening, closing + tail


def write_results(page: Path, writer: str, text: str) -> None:
    """Put `text`, in Markdown, between the markers of `writer`, in place of what stood there; see `read_page`."""
    before, after = read_page(page, writer)
    with atomic_path(page) as path:
        path.write_text(f"{before}\n\n{text.strip()}\n\n{after}", encoding="utf-8")
