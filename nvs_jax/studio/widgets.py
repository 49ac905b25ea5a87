"""Widgets for settings: made by the type of a value, and kept equal to the session."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

SLIDERS: dict[str, tuple[float, float, float]] = {
    "step_degrees": (0.0, 10.0, 0.05),
    "tilt_degrees": (-80.0, 80.0, 1.0),
    "turns": (0.0, 6.0, 0.25),
    "fov": (10.0, 120.0, 0.5),
    "zoom": (0.25, 4.0, 0.05),
    "max_ratio": (1.0, 100.0, 0.5),
    "max_tilt": (45.0, 89.5, 0.5),
    "percentile": (0.0, 100.0, 0.5),
    "disparity_scale": (100.0, 40_000.0, 100.0),
    "far": (10.0, 5_000.0, 10.0),
}
"""Lowest, highest and step of settings that have no unit of length."""
LENGTHS: dict[str, tuple[float, float]] = {
    "radius": (0.02, 3.0),
    "start": (-3.0, 3.0),
    "end": (-3.0, 3.0),
    "reach": (-0.95, 0.95),
    "travel": (-2.0, 0.95),
    "scale": (0.02, 3.0),
}
"""Lowest and highest of lengths, times the distance of what is looked at."""
_STEPS = 400
"""Of a slider for a length."""


class Bound(NamedTuple):
    """A widget and a value that are kept equal.

    Attributes:
        show: the value in the widget.
        take: what stands in the widget, at once; True where the value is that afterwards.
    """

    show: Callable[[], None]
    take: Callable[[], bool]


def slider(
    gui: Any, name: str, value: float, label: str | None = None, *, length: float = 1.0, hint: str | None = None
) -> Any:
    """A slider for a setting; a value beyond its ends moves them.

    Args:
        gui: of a server.
        name: of the setting: see `SLIDERS` and `LENGTHS`.
        value: to begin with.
        label: beside it; None: the name.
        length: the distance of what is looked at, in scene units.
        hint: shown when the mouse rests there.
    """
    if name in SLIDERS:
        low, high, step = SLIDERS[name]
    else:
        low, high = (float(f"{end * length:.3g}") for end in LENGTHS[name])
        step = float(f"{(high - low) / _STEPS:.1g}")
    low, high = min(low, value), max(high, value)
    label = name.replace("_", " ") if label is None else label
    return gui.add_slider(label, min=float(low), max=float(high), step=step, initial_value=float(value), hint=hint)


def bind(widget: Any, read: Callable[[], Any], write: Callable[[Any], object], settle: float | None = 0.0) -> Bound:
    """Keep a widget and a value equal: `write` gets what somebody sets.

    A browser is always a little ahead of the session. So the widget is moved only where the value has become another
    one by other means, such as another browser or a button, or where what was set is refused.

    Args:
        widget: of viser's.
        read: the value as it is.
        write: changes it, or refuses to.
        settle: seconds without another change after which it is written: text comes letter by letter, and stays as it
            was typed where it is refused. None: only when it is taken.
    """
    lock, last, timers = threading.RLock(), [read()], [threading.Timer(0, print)]

    def take() -> bool:
        timers[0].cancel()
        with lock:
            value = _held(widget)
            if not equal(value, read()):
                last[0] = value
                write(value)
                last[0] = read()
            kept = equal(value, last[0])
            if not kept and settle == 0 and equal(value, _held(widget)):  # not moved on meanwhile
                _put(widget, last[0])
            return kept

    def show() -> None:
        with lock:
            value = read()
            if not equal(value, last[0]):
                last[0] = value
                if not equal(_held(widget), value):
                    _put(widget, value)

    @widget.on_update
    def _(_: Any) -> None:
        if settle == 0:
            take()
        if not settle:
            return
        timers[0].cancel()
        timers[0] = threading.Timer(settle, take)
        timers[0].daemon = True
        timers[0].start()

    return Bound(show, take)


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


def _held(widget: Any) -> Any:
    return tuple(widget.value) if isinstance(widget.value, tuple | list) else widget.value


def _put(widget: Any, value: Any) -> None:
    """Show a value; a slider's ends make room for it."""
    if value is None:
        return
    if isinstance(value, int | float) and getattr(widget, "max", None) is not None:
        widget.min, widget.max = min(widget.min, value), max(widget.max, value)
    widget.value = value
