"""What a run leaves in its folder: video, frames, warps, weights, and how to do it again."""

import dataclasses
import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

import nvs_jax
from nvs_jax.errors import InputError
from nvs_jax.geometry import Warp
from nvs_jax.media import (
    atomic_folder,
    atomic_path,
    contact_sheet,
    weights_heat_map,
    write_frames,
    write_gif,
    write_picture,
    write_video,
)
from nvs_jax.pipeline import Render


@contextmanager
def result_folder(out: Path, *, overwrite: bool) -> Iterator[Path]:
    """Collect results in a hidden folder that becomes `out` when all of them are there.

    Raises:
        InputError: `out` holds something already and may not be replaced.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file: choose another folder with --out")
    if out.exists() and any(out.iterdir()) and not overwrite:
        raise InputError(f"{out} is not empty: choose another --out, or replace it with --overwrite")
    with atomic_folder(out) as folder:
        yield folder


def write_warp(folder: Path, picture: np.ndarray, warp: Warp, fps: float) -> None:
    """The given view and its warps as warps/*.png with their holes, a GIF and a contact sheet."""
    condition = np.asarray(warp.condition)
    holes = np.asarray(warp.hole)
    views = np.concatenate([picture[None], condition])
    write_frames(folder / "warps", views)
    masks = np.repeat(np.concatenate([np.zeros_like(holes[:1]), holes])[..., None], 3, -1)
    write_frames(folder / "holes", masks.astype(np.float32))
    write_gif(folder / "warps.gif", views, fps)
    write_picture(folder / "warps.png", sheet({"warp": views}))


def write_render(folder: Path, render: Render, fps: float) -> None:
    """video.mp4, frames/*.png and the table of weights as a picture."""
    write_video(folder / "video.mp4", render.frames, fps)
    write_frames(folder / "frames", render.frames)
    weights_heat_map(folder / "weights.png", render.weights, render.sigmas)


def write_record(folder: Path, **entries: Any) -> None:
    """run.json: every setting, the versions and the machine, written last."""
    record = {
        "versions": {"nvs_jax": nvs_jax.__version__, "jax": jax.__version__, "python": platform.python_version()},
        "device": {"kind": jax.devices()[0].device_kind, "count": jax.device_count()},
        **entries,
    }
    with atomic_path(folder / "run.json") as path:
        path.write_text(json.dumps(record, indent=2, default=_plain) + "\n", encoding="utf-8")


def sheet(rows: Mapping[str, np.ndarray], columns: int = 5, width: int = 256) -> np.ndarray:
    """A contact sheet of videos, one a row, each shown by a few frames evenly spaced.

    Args:
        rows: label to frames [F, H, W, 3].
        columns: frames shown of each.
        width: of a picture, at most, in pixels.
    """
    lines = []
    for label, frames in rows.items():
        chosen = np.unique(np.linspace(0, len(frames) - 1, columns).round().astype(int))
        step = -(-frames.shape[2] // width)
        lines.append([(f"{label} {index}", frames[index, ::step, ::step]) for index in chosen])
    return contact_sheet(lines)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.tolist() if isinstance(value, np.ndarray | jax.Array) else str(value)
