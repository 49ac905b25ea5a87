"""The README and the pages of docs/ as text that can be run."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> dict[str, str]:
    """The fenced blocks of a language in all pages, by page and place."""
    return {
        f"{page.name}-{index}": text
        for page in PAGES
        for index, (named, text) in enumerate(FENCE.findall(page.read_text(encoding="utf-8")))
        if named == language
    }


def program(page: str) -> str:
    """All Python of a page whose blocks build upon each other."""
    return "\n".join(text for place, text in blocks("python").items() if place.startswith(f"{page}-"))


def block_with(text: str, language: str = "python") -> str:
    """The one block that has this text in it."""
    (found,) = (block for block in blocks(language).values() if text in block)
    return found
