"""Results on a benchmark of the field as a table in Markdown, with pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.evaluation.field.samples import VARIANTS
from nvs_jax.evaluation.intervals import Interval, interval, paired_interval
from nvs_jax.evaluation.report import markdown_table, signed

Line = dict[str, Any]
MEASURES = {
    "psnr": "PSNR",
    "known_psnr": "PSNR co-visible",
    "hole_psnr": "PSNR in holes",
    "ssim": "SSIM",
    "known_ssim": "SSIM co-visible",
    "hole_ssim": "SSIM in holes",
    "lpips": "LPIPS",
    "known_lpips": "LPIPS co-visible",
    "hole_lpips": "LPIPS in holes",
}


def scene_means(lines: Sequence[Line], measure: str) -> list[float]:
    """One number a scene: the mean over its scored pictures that have one, NaN where none has."""
    scenes: dict[str, list[float]] = {}
    for line in lines:
        known = [value for value in line["scores"][measure] if value is not None]
        scenes.setdefault(line["scene"], []).extend(known)
    return [float(np.mean(values)) if values else float("nan") for _, values in sorted(scenes.items())]


def samples_report(
    lines_of: Mapping[str, Sequence[Line]], protocol: str, pictures: Sequence[Path], sections: Sequence[list[str]] = ()
) -> str:
    """The table, what it was measured on, what else was, and a picture a scene.

    Args:
        lines_of: of each variant, its results, of the same scenes; where those know no truth, they have fewer scores.
        protocol: how it was measured, in a sentence or two.
        pictures: relative to the report.
        sections: the lines of each; one without lines is left out.
    """
    guided = lines_of[VARIANTS[0]]
    scenes = {line["scene"] for line in guided}
    targets = sum(len(line["scores"]["hole_share"]) for line in guided)
    shares = interval(scene_means(guided, "hole_share"))
    measures = _measures(lines_of)
    gains = "; gains are over the filled warp, scene by scene" if measures else "; nobody knows the true pictures"
    lines = [
        f"{len(scenes)} scenes, {targets} pictures. {protocol} Holes, what no given view shows, are "
        f"{100 * shares.mean:.1f} % of the pixels. Means over scenes with 95 % confidence intervals{gains}.",
        "",
    ]
    rows = []
    for variant, own in lines_of.items():
        cells = [str(_interval(own, measure)) for measure in measures]
        gain = [_gain(variant, lines_of)] if measures else []
        rows.append([variant, *cells, *gain, f"{np.median([line['seconds'] for line in own]):.1f}"])
    titles = ["", *measures.values(), *["PSNR gain"] * bool(measures), "seconds a video"]
    lines += markdown_table(titles, rows)
    for section in sections:
        lines += ["", *section] if section else []
    lines += [f"\n![{picture.stem}]({picture.as_posix()})" for picture in pictures]
    return "\n".join(lines) + "\n"


def lpips_of(lines_of: Mapping[str, Sequence[Line]]) -> str | None:
    """Which LPIPS all lines were measured with; None: not all with the same."""
    names = {line.get("lpips") for lines in lines_of.values() for line in lines}
    return names.pop() if len(names) == 1 else None


def _measures(lines_of: Mapping[str, Sequence[Line]]) -> dict[str, str]:
    """What every line has."""
    measured = {name: title for name, title in MEASURES.items() if "lpips" not in name or lpips_of(lines_of)}
    lines = [line for own in lines_of.values() for line in own]
    return {name: title for name, title in measured.items() if all(name in line["scores"] for line in lines)}


def _gain(variant: str, lines_of: Mapping[str, Sequence[Line]]) -> str:
    if variant == "filled warp":
        return "-"
    own, base = (scene_means(lines_of[name], "psnr") for name in (variant, "filled warp"))
    return signed(paired_interval(own, base))


def _interval(lines: Sequence[Line], measure: str) -> Interval:
    return interval(scene_means(lines, measure))
