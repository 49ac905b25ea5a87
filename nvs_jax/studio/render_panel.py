"""The page's panel on the render: with what, what it needs, how far it is, and the result beside the warps."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media import read_frames, to_bytes
from nvs_jax.settings import Method
from nvs_jax.settings.presets import preset_names
from nvs_jax.studio import changes
from nvs_jax.studio.beforehand import memory_line
from nvs_jax.studio.page import Page
from nvs_jax.studio.panels import Looking
from nvs_jax.studio.rendering import Progress, Renders
from nvs_jax.studio.session import Session

OWN = "as the weights"
"""In place of a preset's name or a method: what weights and preset say."""


class Result:
    """The frames of a render that is shown beside its warps; of none yet, where there is no folder.

    Args:
        folder: of the result.
    """

    def __init__(self, folder: Path | None = None):
        self.frames: np.ndarray | None = None
        if folder is not None and (folder / "frames").is_dir():
            self.read(folder)

    def read(self, folder: Path) -> None:
        """Show another one."""
        self.frames = to_bytes(read_frames(folder / "frames"))

    def beside(self, session: Session, number: int) -> np.ndarray:
        """The frame of this number, and its warp."""
        warp = session.frame(number).pictures[0]
        if self.frames is None:
            return warp
        frame = Image.fromarray(self.frames[min(number, len(self.frames) - 1)])
        return np.concatenate([np.asarray(frame.resize((warp.shape[1], warp.shape[0]))), warp], axis=1)


@dataclass(frozen=True)
class Rendering:
    """What the panel on the render works with.

    Attributes:
        renders: of the studio.
        result: that is shown.
        looking: at which frame.
        refused: told what cannot be, in a line.
    """

    renders: Renders
    result: Result
    looking: Looking
    refused: Callable[[str], None]


def render_panel(gui: Any, page: Page, rendering: Rendering) -> None:
    """Start, watch and stop a render; play its result."""
    renders, shown = rendering.renders, rendering.result
    job, height = page.session.job, page.session.scene.view.depth.shape[0]
    with gui.add_folder("Render"):
        weights = gui.add_text("weights", job.weights or "")
        preset = gui.add_dropdown("preset", (OWN, *preset_names()), initial_value=job.preset or OWN)
        method = gui.add_dropdown("method", (OWN, *get_args(Method)), initial_value=job.method or OWN)
        steps = gui.add_number("steps", page.session.settings.schedule.steps, min=1, max=1000, step=1)
        seed = gui.add_number("seed", job.seed, min=0, max=2**32 - 1, step=1)
        out = gui.add_text("folder", str(job.out))
        overwrite = gui.add_checkbox("replace an earlier result", False)
        device = gui.add_text("device", "gpu:24GB")
        needs = gui.add_markdown("")
        start, cancel = gui.add_button("Render"), gui.add_button("Cancel")
        bar, words = gui.add_progress_bar(0.0), gui.add_markdown("")
        preview = gui.add_image(np.zeros((height, 8, 3), np.uint8), label="latents")
        result = gui.add_image(np.zeros((height, 8, 3), np.uint8), label="result beside the warp")

    def chosen() -> dict[str, Any]:
        return {
            "weights": weights.value.strip() or None,
            "preset": None if preset.value == OWN else preset.value,
            "method": None if method.value == OWN else method.value,
            "steps": int(steps.value),
            "seed": int(seed.value),
            "out": out.value,
            "overwrite": overwrite.value,
        }

    for widget in (weights, preset, method, steps, seed, out, overwrite):
        widget.on_update(lambda _: page.change(changes.with_choice, **chosen()))
    device.on_update(lambda _: page.refresh())

    @start.on_click
    def _(_: Any) -> None:
        if page.session.keys and page.session.saved is None and not page.change(changes.save_path):
            return
        try:
            renders.start(page.session.ready)
        except InputError as error:
            rendering.refused(str(error))

    cancel.on_click(lambda _: renders.cancel())

    def show(session: Session) -> None:
        needs.content = _needs(session, device.value)
        if shown.frames is not None:
            result.image = shown.beside(session, rendering.looking.number)

    def follow(progress: Progress) -> None:
        bar.value = 100.0 if progress.state == "done" else 100 * progress.share
        took = time.monotonic() - progress.since
        stage = f"{progress.stage} {progress.share:.0%}, {took:.0f} s" if progress.job else ""
        words.content = progress.line or stage
        if progress.preview is not None:
            preview.image = enlarged(progress.preview, height)
        if progress.result is not None:
            shown.read(progress.result)
            page.refresh()

    page.slow.append(show)
    renders.follow(follow)


def enlarged(picture: np.ndarray, height: int) -> np.ndarray:
    """A small picture with every pixel repeated, about so many rows high."""
    by = max(1, height // len(picture))
    return picture.repeat(by, 0).repeat(by, 1)


def _needs(session: Session, device: str) -> str:
    height, width = (side * session.scene.shrink for side in session.scene.view.depth.shape)
    frames = min(session.frames, session.scene.lattice.frames) if session.scene.clip is not None else session.frames
    try:
        return memory_line(session.job, session.settings, frames, (height, width), device)
    except InputError as error:
        return str(error)
