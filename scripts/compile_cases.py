"""What the scripts that compile programs at full size share: their names for the command line, and the page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.planning.request import Program, Request
from nvs_jax.planning.table import Entry, table_page

Case = Literal[
    "embed",
    "encode",
    "encode-tiles",
    "dgs",
    "dgs-sequential",
    "post-skip",
    "post-full",
    "decode",
    "decode-bfloat16",
    "decode-tiles",
]
TILE, OVERLAP = (320, 512), 64


def asked_for(usual: Request, frames: int | None, height: int | None, width: int | None) -> Request:
    """The usual request, with the sizes that are given."""
    return replace(usual, frames=frames or usual.frames, height=height or usual.height, width=width or usual.width)


def variant(case: Case, request: Request) -> tuple[Program, Request]:
    """The program of a case, and the request that asks for it."""
    match case:
        case "embed":
            return "embed", request
        case "encode" | "decode":
            return case, request
        case "decode-bfloat16":
            return "decode", replace(request, vae_dtype="bfloat16")
        case "encode-tiles":
            return "encode", replace(request, tile=TILE, overlap=OVERLAP)
        case "decode-tiles":
            return "decode", replace(request, tile=TILE, overlap=OVERLAP)
        case "dgs" | "dgs-sequential":
            return "sample", replace(request, method="dgs", sequential=case != "dgs")
        case "post-skip" | "post-full":
            return "sample", replace(request, method="post", gradient="full" if case == "post-full" else "skip")


def check_page(page: Path | None) -> None:
    """Refuse a page that is not there, before anything is compiled.

    Raises:
        InputError: it is not.
    """
    if page is not None and not page.is_file():
        raise InputError(f"--page {page} is not there: name a page that has the markers of the tables")


def write_page(page: Path, entries: Sequence[Entry], more: Callable[[str, Sequence[Entry]], str]) -> None:
    """Replace the table of bytes in a page, and another table by `more`."""
    text = more(table_page(page.read_text(encoding="utf-8"), entries), entries)
    with atomic_path(page) as path:
        path.write_text(text, encoding="utf-8")
