"""The findings as Markdown. No JAX and no PyTorch here."""

from collections.abc import Sequence

from scripts.accelerator.rows import Entry
from scripts.accelerator.stages import STAGES

WRITER = "scripts/bench_accelerator.py"
"""As the markers of a page name it: see `scripts.documentation`."""


def markdown(entries: Sequence[Entry], state: str = "finished") -> str:
    """What they were measured on, and a table, in the order of the stages.

    Args:
        entries: the findings.
        state: of the run; said unless it is finished.
    """
    grounds = list(dict.fromkeys(_ground(entry) for entry in entries if entry.environment))
    lines = [f"{number}. {ground}" for number, ground in enumerate(grounds, 1)]
    if state != "finished":
        lines = [f"**Not finished: {state}.**", "", *lines]
    order = {stage.name: place for place, stage in enumerate(STAGES)}
    lines += ["", "| stage | on | what | found | note |", "|---|---|---|---|---|"]
    for entry in sorted(entries, key=lambda entry: order.get(entry.stage, len(order))):
        note = f"**failed:** {entry.note}" if entry.failed else entry.note
        ground = str(grounds.index(_ground(entry)) + 1) if entry.environment else ""  # of what never began
        cells = (entry.stage, ground, entry.what, _figures(entry), note)
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _ground(entry: Entry) -> str:
    """What an entry was measured on: the card first."""
    environment = dict(entry.environment)
    card = environment.pop("card", "unknown device")
    others = ", ".join(f"{name} {value}" for name, value in environment.items())
    variant = f", {entry.variant} flags" if entry.side == "jax" else ""
    return f"{card}; {entry.size} size{variant}; {others}" if others else f"{card}; {entry.size} size{variant}"


def _figures(entry: Entry) -> str:
    """Numbers to four digits.

    >>> _figures(Entry("dgs", "jax", "full", "fast", {}, "a step", {"ms": 403.25, "of peak": 0.3862}))
    'ms 403.2, of peak 0.3862'
    """
    return ", ".join(f"{name} {value:.4g}" for name, value in entry.figures.items())


def _cell(text: str) -> str:
    r"""In one line of a table.

    >>> _cell("a|b\nc")
    'a/b c'
    """
    return " ".join(text.replace("|", "/").split())
