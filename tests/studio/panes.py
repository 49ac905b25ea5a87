"""A page's widgets without a browser, and without viser: what stands in them, and what happens when they are used."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from nvs_jax.studio.flying import quaternion_of
from nvs_jax.studio.keys import Pose, centre_of
from nvs_jax.studio.page import Page
from nvs_jax.studio.session import Session


class Widget(SimpleNamespace):
    """One of them; setting its value is what a browser does."""

    def __init__(self, **held: Any):
        super().__init__(**held)
        self.called: list[Callable[[Any], None]] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "visible" and "steady" in vars(self):
            raise AssertionError("viser's page breaks when a slider or a picture comes or goes: hide its folder")
        super().__setattr__(name, value)
        if name == "value" and "called" in vars(self):
            self.press()

    def on_update(self, call: Callable[[Any], None]) -> Callable[[Any], None]:
        self.called.append(call)
        return call

    on_click = on_update

    def press(self, client: Any = None) -> None:
        """What a click does."""
        for call in self.called:
            call(SimpleNamespace(client=client, target=self))


class Folder(Widget):
    """A folder; what is made while it is entered lies in it."""

    def __init__(self, gui: "Gui", label: str, visible: bool):
        super().__init__(visible=visible)
        self.gui, self.label = gui, label

    def __enter__(self) -> "Folder":
        self.gui.inside.append(self.label)
        return self

    def __exit__(self, *_: object) -> None:
        self.gui.inside.pop()


class Gui:
    """As viser's: every widget is kept under its label, in folders of folders also as "folder/label"."""

    def __init__(self) -> None:
        self.widgets: dict[str, Widget] = {}
        self.inside: list[str] = []

    def add_folder(self, label: str, expand_by_default: bool = True, visible: bool = True) -> "Folder":
        folder = Folder(self, label, visible)
        self.widgets[f"folder {label}"] = folder
        return folder

    def configure_theme(self, **_: Any) -> None:
        """Colours are the browser's business."""

    def __getitem__(self, label: str) -> Widget:
        return self.widgets[label]

    def __getattr__(self, name: str) -> Callable[..., Widget]:
        kind = name.removeprefix("add_")

        def add(*given: Any, **named: Any) -> Widget:
            held: dict[str, Any] = {"visible": named.get("visible", True)}
            if kind in ("markdown", "image", "progress_bar"):
                label = named.get("label", f"{kind} {len(self.widgets)}")
                held[{"markdown": "content", "image": "image", "progress_bar": "value"}[kind]] = given[0]
            else:
                label = given[0]
                if kind != "button":
                    held["value"] = named["initial_value"] if "initial_value" in named else given[-1]
            widget = Widget(**held, **{key: named[key] for key in ("min", "max") if key in named})
            if kind in ("slider", "image"):  # which viser's page does not survive
                widget.steady = True
            for name in (label, "/".join([*self.inside[1:], label])):
                self.widgets[name] = widget
            return widget

        return add

    @property
    def text(self) -> str:
        """All that stands on the page in words."""
        return "\n".join(widget.content for widget in self.widgets.values() if hasattr(widget, "content"))


class Browser:
    """Somebody who looks from a pose.

    Args:
        pose: world-to-camera.
        number: of the browser.
    """

    def __init__(self, pose: Pose, number: int = 0):
        self.client_id, self.gui = number, Gui()
        self.camera = Widget(position=centre_of(pose), wxyz=quaternion_of(pose), look_at=centre_of(pose))

    def fly(self, pose: Pose) -> None:
        """Look from elsewhere."""
        self.camera.position, self.camera.wxyz = centre_of(pose), quaternion_of(pose)
        self.camera.press()


def aside(session: Session, by: float) -> Pose:
    """The given view's camera moved to its right."""
    pose = np.array(session.track.poses[0], np.float64)
    pose[0, 3] -= by
    return pose


@contextmanager
def shown(session: Session, *panels: Callable[[Gui, Page], object]) -> Iterator[tuple[Page, Gui, list[str]]]:
    """A page with panels, its widgets, and what was refused; nothing may go wrong that is not told in a line."""
    told: list[str] = []
    gui, page = Gui(), Page(session, told.append)
    for panel in panels:
        panel(gui, page)
    page.begin()
    try:
        assert page.wait()
        yield page, gui, told
        assert page.wait()
    finally:
        page.close()
    assert not [line for line in told if "Error" in line]


class Scene:
    """As viser's: what is there, by its name."""

    def __init__(self) -> None:
        self.there: dict[str, SimpleNamespace] = {}

    def add_camera_frustum(self, name: str, **held: Any) -> None:
        self.there[name] = SimpleNamespace(**held)

    def add_point_cloud(self, name: str, points: np.ndarray, colors: np.ndarray, **held: Any) -> None:
        self.there[name] = SimpleNamespace(points=points, colors=colors, **held)

    def remove_by_name(self, name: str) -> None:
        del self.there[name]

    def set_up_direction(self, direction: str) -> None:
        assert direction == "-y"

    def names(self, kind: str) -> list[str]:
        """Of one kind, such as frame."""
        return sorted(name for name in self.there if name.startswith(f"/{kind}/"))


class Server:
    """As viser's, without anybody who listens."""

    def __init__(self) -> None:
        self.gui, self.scene, self.comes, self.goes = Gui(), Scene(), Widget(), Widget()
        self.on_client_connect, self.on_client_disconnect = self.comes.on_update, self.goes.on_update

    @contextmanager
    def atomic(self) -> Iterator[None]:
        yield
