"""A page's widgets without a browser, and without viser: what stands in them, and what happens when they are used."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any


class Widget(SimpleNamespace):
    """One of them; setting its value is what a browser does."""

    def __init__(self, **held: Any):
        super().__init__(**held)
        self.called: list[Callable[[Any], None]] = []

    def __setattr__(self, name: str, value: Any) -> None:
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


class Gui:
    """As viser's: every widget is kept under its label, those without one under what they are."""

    def __init__(self) -> None:
        self.widgets: dict[str, Widget] = {}

    @contextmanager
    def add_folder(self, label: str, expand_by_default: bool = True) -> Iterator[None]:
        yield

    def __getattr__(self, name: str) -> Callable[..., Widget]:
        kind = name.removeprefix("add_")

        def add(*given: Any, **named: Any) -> Widget:
            held: dict[str, Any] = {"visible": True}
            if kind in ("markdown", "image", "progress_bar"):
                label = named.get("label", f"{kind} {len(self.widgets)}")
                held[{"markdown": "content", "image": "image", "progress_bar": "value"}[kind]] = given[0]
            else:
                label = given[0]
                if kind != "button":
                    held["value"] = named["initial_value"] if "initial_value" in named else given[-1]
            self.widgets[label] = Widget(**held, **{key: named[key] for key in ("min", "max") if key in named})
            return self.widgets[label]

        return add

    @property
    def text(self) -> str:
        """All that stands on the page in words."""
        return "\n".join(widget.content for widget in self.widgets.values() if hasattr(widget, "content"))
