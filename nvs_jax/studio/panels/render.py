"""The render: with what, what it needs, how far it is, and the result beside the warps."""

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
from nvs_jax.settings.presets import BEST, preset_names
from nvs_jax.studio import changes
from nvs_jax.studio.beforehand import needs_of
from nvs_jax.studio.page import Page, when_new
from nvs_jax.studio.pictures import enlarged
from nvs_jax.studio.rendering import Progress, Renders
from nvs_jax.studio.session import Session
from nvs_jax.studio.widgets import Bound, bind

OWN = "as the weights"
"""In place of a preset's name or a method: what weights and preset say."""
DEVICES = ("gpu:16GB", "gpu:24GB", "gpu:48GB", "gpu:80GB", "v5e:1", "v5e:8", "v6e:1", "v6e:8", "v5p:1", "v5p:8")
"""Some that can be planned for."""
_WEIGHTS = "A name, a folder, or a hub id, which is downloaded when it is used"
_SETTLE = 0.8
"""Seconds after the last letter of a text."""


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
        refused: told what cannot be, in a line.
    """

    renders: Renders
    result: Result
    refused: Callable[[str], None]


def render_panel(gui: Any, page: Page, rendering: Rendering) -> None:
    """Start, watch and stop a render; see its result."""
    blank = np.zeros((8, 320, 3), np.uint8)
    with gui.add_folder("Render"):
        weights = gui.add_text("weights", page.session.job.weights or "", hint=_WEIGHTS)
        use = gui.add_button("use these weights")
        bounds = [_choice(page, weights, "weights", "", settle=None), *_choices(gui, page)]
        device = gui.add_dropdown("what it needs of", DEVICES, "gpu:24GB")
        needs = gui.add_markdown("")
        start, cancel = gui.add_button("Render"), gui.add_button("Cancel")
        bar, words = gui.add_progress_bar(0.0), gui.add_markdown("")
        preview = gui.add_image(blank, label="latents")
        result = gui.add_image(blank, label="result beside the warp")
    use.on_click(lambda _: bounds[0].take())
    device.on_update(lambda _: page.refresh())

    @start.on_click
    def _(_: Any) -> None:
        if all([bound.take() for bound in bounds]):
            _start(page, rendering)

    cancel.on_click(lambda _: rendering.renders.cancel())

    def show_result(session: Session) -> None:
        result.image = enlarged(rendering.result.beside(session, page.number))

    def follow(progress: Progress) -> None:
        bar.value = 100.0 if progress.state == "done" else 100 * progress.share
        took = time.monotonic() - progress.since
        words.content = progress.line or (
            f"{progress.stage} {progress.share:.0%}, {took:.0f} s" if progress.job else ""
        )
        if progress.preview is not None:
            preview.image = enlarged(progress.preview)
        if progress.state == "failed":
            rendering.refused(progress.line)
        if progress.result is not None:
            rendering.result.read(progress.result)
            page.refresh()

    page.fast.append(when_new(lambda session: (session,), lambda _: [bound.show() for bound in bounds]))
    page.fast.append(when_new(lambda session: (session, page.number, id(rendering.result.frames)), show_result))
    page.slow.append(
        when_new(
            lambda session: (session.job.weights, session.settings, session.job.dtype, session.frames, device.value),
            lambda session: setattr(needs, "content", needs_of(session, device.value)),
        )
    )
    rendering.renders.follow(follow)


def _choices(gui: Any, page: Page) -> list[Bound]:
    """What it is made with, weights aside."""
    job = page.session.job
    steps = gui.add_number("steps", page.session.settings.schedule.steps, min=1, max=1000, step=1)
    return [
        _choice(page, gui.add_dropdown("preset", (OWN, BEST, *preset_names()), job.preset or OWN), "preset", OWN),
        _choice(page, gui.add_dropdown("method", (OWN, *get_args(Method)), job.method or OWN), "method", OWN),
        bind(
            steps,
            lambda: page.session.settings.schedule.steps,
            lambda value: page.change(changes.with_choice, steps=int(value)),
        ),
        _choice(page, gui.add_number("seed", job.seed, min=0, max=2**32 - 1, step=1), "seed"),
        _choice(page, gui.add_text("folder", str(job.out)), "out", settle=_SETTLE),
        _choice(page, gui.add_checkbox("replace an earlier result", job.overwrite), "overwrite"),
    ]


def _choice(page: Page, widget: Any, name: str, blank: str | None = None, settle: float | None = 0.0) -> Bound:
    """The job's field of this name; `blank` stands for None."""

    def read() -> Any:
        value = getattr(page.session.job, name)
        return blank if value is None else str(value) if isinstance(value, Path) else value

    def write(value: Any) -> None:
        value = value.strip() if isinstance(value, str) else value
        page.change(changes.with_choice, **{name: None if value == blank else value})

    return bind(widget, read, write, settle)


def _start(page: Page, rendering: Rendering) -> None:
    if page.session.keys and page.session.saved is None and not page.change(changes.save_path):
        return
    try:
        rendering.renders.start(page.session.ready)
    except InputError as error:
        rendering.refused(str(error))
