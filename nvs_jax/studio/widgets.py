"""Widgets for settings: made by the type of a value, and kept equal to the session."""

from collections.abc import Callable
from typing import Any

SLIDERS: dict[str, tuple[float, float, float]] = {
    "step_degrees": (0.0, 10.0, 0.05),
    "tilt_degrees": (-80.0, 80.0, 1.0),
    "turns": (0.0, 6.0, 0.25),
    "fov": (10.0, 120.0, 0.5),
    "max_ratio": (1.0, 100.0, 0.5),
    "max_tilt": (45.0, 89.5, 0.5),
    "percentiles": (0.0, 100.0, 0.5),
}
"""Lowest, highest and step of settings that have no unit of length; lengths are typed."""


def widget_of(gui: Any, name: str, value: Any) -> Any:
    """A widget of viser's for a setting.

    Args:
        gui: of a server.
        name: of the setting.
        value: to begin with; a switch, a number, or two or three of them.
    """
    label = name.replace("_", " ")
    if isinstance(value, bool):
        return gui.add_checkbox(label, value)
    if isinstance(value, tuple):
        return (gui.add_vector2 if len(value) == 2 else gui.add_vector3)(label, value)
    if name in SLIDERS:
        low, high, step = SLIDERS[name]
        return gui.add_slider(label, min=low, max=high, step=step, initial_value=min(max(value, low), high))
    return gui.add_number(label, value)


def bind(widget: Any, read: Callable[[], Any], write: Callable[[Any], object]) -> Callable[[], None]:
    """Keep a widget and a value equal: `write` gets what somebody sets.

    Args:
        widget: of viser's.
        read: the value as it is.
        write: change it; nothing happens to the widget where that is refused, until `show`.

    Returns:
        Shows the value in the widget, where another one stands there.
    """

    @widget.on_update
    def _(_: Any) -> None:
        value = tuple(widget.value) if isinstance(widget.value, tuple | list) else widget.value
        if not equal(value, read()):
            write(value)

    def show() -> None:
        value = read()
        if value is not None and not equal(widget.value, value):
            widget.value = value

    return show


def equal(one: Any, other: Any) -> bool:
    """Whether a page's number is a setting's.

    >>> equal((1.0, 2), [1.0, 2.0]), equal(None, 1.0), equal("a", "a"), equal(0.1 + 0.2, 0.3)
    (True, False, True, True)
    """
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))
    return one == other
