"""What papers print of this method, to stand beside results; each measured it in a way of its own."""

import json
from pathlib import Path
from typing import Any

from nvs_jax.evaluation.report import markdown_table

NUMBERS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "fid": "FID",
    "ate": "ATE",
    "rpe_t": "RPE-T",
    "rpe_r": "RPE-R",
}


def published_tables() -> list[dict[str, Any]]:
    """`published.json` beside this file: source, set, layouts, protocol in words, and rows of a method's numbers."""
    return json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))["tables"]


def published_lines(layout: str) -> list[str]:
    """A section of the report: what is published on sets such as this layout holds; nothing where nothing is."""
    tables = [table for table in published_tables() if layout in table["layouts"]]
    if not tables:
        return []
    measured = [name for name in NUMBERS if any(name in row for table in tables for row in table["rows"])]
    rows = [
        [row["method"], table["set"], *(row.get(name, "-") for name in measured), table["source"], table["protocol"]]
        for table in tables
        for row in table["rows"]
    ]
    return [
        "### Published, under other protocols",
        "",
        "Printed by others, on other pictures, sizes, crops and scales than those above: not to be compared with them "
        "row by row. Backbones of LPIPS and units of ATE are as each source has them.",
        "",
        *markdown_table(["", "set", *(NUMBERS[name] for name in measured), "source", "protocol"], rows),
    ]
