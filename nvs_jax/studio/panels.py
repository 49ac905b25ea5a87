"""The page's panels on the path: widgets that change the session, and pictures that follow it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from nvs_jax.settings import PathKind
from nvs_jax.studio import changes
from nvs_jax.studio.page import Page
from nvs_jax.studio.pictures import curve, depth_beside, strip_of
from nvs_jax.studio.session import Session
from nvs_jax.studio.warps import mostly_invented, spans
from nvs_jax.studio.widgets import bind, widget_of

PATH_FIELDS: dict[PathKind, tuple[str, ...]] = {
    "orbit": ("radius", "step_degrees", "inverse"),
    "ellipse": ("radius", "step_degrees", "tilt_degrees", "inverse"),
    "line": ("start", "end"),
    "spiral": ("radius", "reach", "turns"),
    "dolly-zoom": ("radius", "travel"),
    "figure-of-eight": ("radius", "reach"),
    "full-turn": ("radius",),
    "file": (),
}
"""Which settings say how each kind of path goes."""


@dataclass
class Looking:
    """Which frame of the path is looked at."""

    number: int = 0


def camera_panel(gui: Any, page: Page, looking: Looking) -> None:
    """The camera's own picture, a slider along the path, the curve of holes and the strip of frames."""
    blank = np.zeros((*page.session.scene.view.depth.shape, 3), np.uint8)
    with gui.add_folder("Camera"):
        slider = gui.add_slider("frame", min=0, max=page.session.frames - 1, step=1, initial_value=0)
        live, play = gui.add_image(blank), gui.add_button("play")
        holes = gui.add_image(curve(np.zeros(page.session.frames), 0), label="holes by frame")
        strip = gui.add_image(blank, label="along the path")
        words = gui.add_markdown("")
        command = gui.add_markdown("")

    @slider.on_update
    def _(_: Any) -> None:
        if looking.number != slider.value:
            looking.number = int(slider.value)
            page.refresh()

    @play.on_click
    def _(_: Any) -> None:
        for number in range(len(page.session.track.poses)):
            slider.value = number
            time.sleep(1 / page.session.settings.conditioning.fps)

    def show_frame(session: Session) -> None:
        last = len(session.track.poses) - 1
        looking.number = min(looking.number, last)
        if slider.max != last:
            slider.value, slider.max = looking.number, last
        live.image = session.frame(looking.number).pictures[0]
        command.content = f"```\n{session.command}\n```"

    def show_all(session: Session) -> None:
        seen = session.strip
        holes.image, strip.image = curve(seen.shares, looking.number), strip_of(seen.pictures)
        many = mostly_invented(seen.shares)
        marked = f"more than half is invented in frames {spans(many)}" if many else "no frame is mostly invented"
        words.content = "\n\n".join([*session.about, marked])

    page.fast.append(show_frame)
    page.slow.append(show_all)


def path_panel(gui: Any, page: Page) -> None:
    """Kind of path, its settings, number of frames; saved and opened. Nothing of it where views give the path."""
    path = page.session.job.settings.path
    with gui.add_folder("Path"):
        kind = gui.add_dropdown("kind", get_args(PathKind), initial_value=path.kind)
        frames = gui.add_slider("frames", min=2, max=100, step=1, initial_value=min(page.session.frames, 100))
        names = sorted({name for named in PATH_FIELDS.values() for name in named})
        widgets = {name: widget_of(gui, name, getattr(path, name)) for name in names}
        fitted = gui.add_button("fit the radius to the scene")
        file = gui.add_text("file", str(page.session.path_file))
        save, opened = gui.add_button("save the path"), gui.add_button("open a path")

    def of_path(name: str) -> Any:
        return getattr(page.session.job.settings.path, name)

    shows = [
        bind(widget, lambda name=name: of_path(name), lambda value, name=name: _set(page, name, value))
        for name, widget in widgets.items()
    ]
    shows.append(bind(frames, lambda: page.session.frames, lambda value: _set(page, "frames", int(value))))

    @kind.on_update
    def _(_: Any) -> None:
        if kind.value == "file":
            if of_path("kind") != "file":
                page.change(changes.open_path, Path(file.value))
        elif kind.value != of_path("kind") or page.session.keys:
            page.change(changes.with_path, kind=kind.value)

    fitted.on_click(lambda _: page.change(changes.fit_radius))
    save.on_click(lambda _: page.change(changes.save_path, Path(file.value)))
    opened.on_click(lambda _: page.change(changes.open_path, Path(file.value)))

    def show(session: Session) -> None:
        chosen = session.job.settings.path.kind
        if kind.value != chosen:
            kind.value = chosen
        for name, widget in widgets.items():
            widget.visible = name in PATH_FIELDS[chosen] and not session.keys and session.scene.sources is None
        for each in shows:
            each()

    page.fast.append(show)


def keys_panel(gui: Any, page: Page, fly_to: Any) -> None:
    """Key frames: set by flying there in the 3-D view and pressing a button.

    Args:
        gui: of the server.
        page: that is changed.
        fly_to: moves a browser's camera to a pose.
    """
    with gui.add_folder("Key frames"):
        words = gui.add_markdown("")
        add = gui.add_button("add one here")
        number = gui.add_slider("key frame", min=0, max=30, step=1, initial_value=1)
        go, move, delete = (gui.add_button(text) for text in ("fly there", "move it here", "delete it"))
        count = gui.add_slider("how many", min=2, max=12, step=1, initial_value=4)
        along = gui.add_button("take so many from the path")
        none = gui.add_button("none: the path of the settings")
        follows = gui.add_checkbox("keep what is in the middle", page.session.follows)

    add.on_click(lambda event: page.change(changes.add_key, camera_of(event.client)))
    move.on_click(lambda event: page.change(changes.move_key, int(number.value), camera_of(event.client)))
    delete.on_click(lambda _: page.change(changes.delete_key, int(number.value)))
    along.on_click(lambda _: page.change(changes.keys_of_path, int(count.value)))
    none.on_click(lambda _: page.change(changes.with_keys, ()))

    @go.on_click
    def _(event: Any) -> None:
        if number.value < len(page.session.keys):
            fly_to(event.client, page.session.keys[int(number.value)])

    @follows.on_update
    def _(_: Any) -> None:
        if follows.value != page.session.follows:
            page.change(changes.with_keys, page.session.keys, follows.value)

    def show(session: Session) -> None:
        many = len(session.keys)
        words.content = f"{many} key frames; the first is the given view" if many else "none"

    page.fast.append(show)


def depth_panel(gui: Any, page: Page) -> None:
    """Near, far and scale of depth, the lens, and which points at edges are left out."""
    settings = page.session.job.settings
    disparity = page.session.scene.view.depth_kind == "disparity" or page.session.scene.view.estimated
    with gui.add_folder("Depth and lens", expand_by_default=False):
        picture = gui.add_image(depth_beside(page.session), label="depth; what is left out is marked")
        fov = widget_of(gui, "fov", float(np.degrees(2 * np.arctan(0.5 / settings.camera.focal_over_width))))
        tilt = widget_of(gui, "max_tilt", settings.warp.max_tilt or 89.5)
        planes = widget_of(gui, "percentiles", settings.camera.disparity.percentiles)
        ratio = widget_of(gui, "max_ratio", settings.camera.disparity.max_ratio)
    planes.visible = ratio.visible = disparity

    def of_camera() -> Any:
        return page.session.job.settings.camera

    shows = [
        bind(fov, lambda: of_camera().fov, lambda value: page.change(changes.with_camera, fov=float(value))),
        bind(
            tilt,
            lambda: page.session.job.settings.warp.max_tilt,
            lambda value: page.change(changes.with_warp, max_tilt=float(value)),
        ),
        bind(
            planes,
            lambda: of_camera().disparity.percentiles,
            lambda value: page.change(changes.with_disparity, percentiles=tuple(map(float, value))),
        ),
        bind(
            ratio,
            lambda: of_camera().disparity.max_ratio,
            lambda value: page.change(changes.with_disparity, max_ratio=float(value)),
        ),
    ]

    def show(session: Session) -> None:
        picture.image = depth_beside(session)
        for each in shows:
            each()

    page.slow.append(show)


def camera_of(client: Any) -> np.ndarray:
    """World-to-camera pose of a browser's camera: viser's axes are OpenCV's."""
    from scipy.spatial.transform import Rotation

    from nvs_jax.studio.keys import posed

    w, *xyz = client.camera.wxyz
    rotation = Rotation.from_quat([*xyz, w]).as_matrix().T
    return posed(rotation, np.asarray(client.camera.position, np.float64))


def _set(page: Page, name: str, value: Any) -> None:
    page.change(changes.with_path, **{name: value})
