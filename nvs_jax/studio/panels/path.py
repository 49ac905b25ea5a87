"""The path: its kind with a slider for every number, its length, saved and opened. Where views give it: its length."""

from pathlib import Path
from typing import Any, get_args

from nvs_jax.settings import PathKind
from nvs_jax.studio import changes
from nvs_jax.studio.page import Page, when_new
from nvs_jax.studio.session import Session
from nvs_jax.studio.widgets import Bound, bind, slider

PATH_FIELDS: dict[PathKind, tuple[str, ...]] = {
    "orbit": ("radius", "step_degrees", "inverse", "zoom"),
    "ellipse": ("radius", "step_degrees", "tilt_degrees", "inverse", "zoom"),
    "line": ("start", "end", "zoom"),
    "spiral": ("radius", "reach", "turns", "zoom"),
    "dolly-zoom": ("radius", "travel", "zoom"),
    "figure-of-eight": ("radius", "reach", "zoom"),
    "full-turn": ("radius",),
    "file": ("zoom",),
}
"""Which settings say how each kind of path goes."""
AXES = {"radius": ("x", "z"), "end": ("x", "y", "z"), "reach": ("x", "y", "z")}
"""What the numbers of a setting are along."""


def path_panel(gui: Any, page: Page) -> None:
    """Kind of path, its settings, number of frames; saved and opened."""
    free = page.session.scene.sources is None
    with gui.add_folder("Path"):
        kind = gui.add_dropdown("kind", get_args(PathKind), initial_value=page.session.path.kind, visible=free)
        most = max(100, page.session.frames)
        frames = gui.add_slider("frames", min=2, max=most, step=1, initial_value=page.session.frames)
        folders, numbers = _kinds(gui, page)
        words = gui.add_markdown("", visible=free)
        fitted = gui.add_button("fit the radius to the scene", visible=free)
        file = gui.add_text("file", str(page.session.path_file), visible=free)
        save = gui.add_button("save the path", visible=free)
        opened = gui.add_button("open a path", visible=free)

    def set_kind(value: PathKind) -> None:
        if value == "file":
            page.change(changes.open_path, Path(file.value))
        else:
            page.change(changes.with_kind, value)

    chosen = bind(kind, lambda: page.session.path.kind, set_kind)
    length = bind(frames, lambda: page.session.frames, lambda value: page.change(changes.with_path, frames=int(value)))
    fitted.on_click(lambda _: page.change(changes.fit_radius))
    save.on_click(lambda _: page.change(changes.save_path, Path(file.value)))
    opened.on_click(lambda _: page.change(changes.open_path, Path(file.value)))

    def show(session: Session) -> None:
        words.content = session.scale
        for bound in (chosen, length, *numbers):
            bound.show()
        there = "file" if session.keys else session.path.kind
        for kind, folder in folders.items():
            folder.visible = free and kind == there

    page.fast.append(when_new(lambda session: (session,), show))


def _kinds(gui: Any, page: Page) -> tuple[dict[PathKind, Any], list[Bound]]:
    """A folder for each kind of path, which comes and goes as a whole: viser cannot hide a slider that was there."""
    folders, numbers = {}, []
    for kind, names in PATH_FIELDS.items():
        folders[kind] = gui.add_folder(kind, visible=False)
        with folders[kind]:
            numbers += [number for name in names for number in _numbers(gui, page, name)]
    return folders, numbers


def _numbers(gui: Any, page: Page, name: str) -> list[Bound]:
    """Widgets for a setting, one for each of its numbers."""
    label, value = name.replace("_", " "), getattr(page.session.path, name)
    if isinstance(value, bool):
        return [_number(page, name, None, gui.add_checkbox(label, value))]
    if not isinstance(value, tuple):
        return [_number(page, name, None, slider(gui, name, value, length=page.session.distance))]
    return [
        _number(page, name, index, slider(gui, name, value[index], f"{label} {axis}", length=page.session.distance))
        for index, axis in enumerate(AXES[name])
    ]


def _number(page: Page, name: str, index: int | None, widget: Any) -> Bound:
    def read() -> Any:
        value = getattr(page.session.path, name)
        return value if index is None else value[index]

    return bind(widget, read, lambda value: page.change(changes.with_path_part, name, index, value))
