"""A widget and a value stay equal, and neither fights with the hand on the other."""

import time

import pytest

from nvs_jax.studio.widgets import bind, slider
from tests.studio.panes import Gui


class Held:
    """A value that is never negative, and how often it was written."""

    def __init__(self, value):
        self.value, self.written = value, []

    def write(self, value):
        self.written.append(value)
        if not isinstance(value, str) and value < 0:
            return
        self.value = value


@pytest.fixture
def gui():
    return Gui()


def test_what_somebody_sets_is_written_once_and_what_is_refused_goes_back(gui):
    held = Held(1.0)
    widget = slider(gui, "zoom", 1.0)
    bound = bind(widget, lambda: held.value, held.write)
    widget.value = 2.0
    widget.value = 2.0
    assert (held.value, held.written) == (2.0, [2.0])
    widget.value = -1.0
    assert (held.value, widget.value) == (2.0, 2.0)
    held.value = 3.0
    bound.show()
    assert (widget.value, held.written) == (3.0, [2.0, -1.0])


def test_a_widget_that_is_ahead_of_the_value_is_left_alone(gui):
    held = Held(1.0)
    widget = slider(gui, "zoom", 1.0)
    bound = bind(widget, lambda: held.value, held.write)
    widget.value = 2.0
    widget.called.clear()
    widget.value = 2.5  # on its way
    bound.show()
    assert widget.value == 2.5


def test_text_is_written_after_its_last_letter_or_when_it_is_taken(gui):
    held = Held("")
    widget = gui.add_text("name", "")
    bound = bind(widget, lambda: held.value, held.write, settle=0.1)
    for text in ("n", "na", "name"):
        widget.value = text
    assert held.written == []
    for _ in range(200):
        if held.written:
            break
        time.sleep(0.02)
    assert held.written == ["name"]
    widget.value = "other"
    assert bound.take()
    assert held.written == ["name", "other"]
    time.sleep(0.2)
    assert held.written == ["name", "other"]


def test_what_takes_long_is_written_only_when_it_is_taken(gui):
    held = Held("")
    widget = gui.add_text("name", "")
    bound = bind(widget, lambda: held.value, held.write, settle=None)
    widget.value = "name"
    assert held.written == []
    assert bound.take()
    assert held.value == "name"


def test_sliders_of_lengths_have_the_scenes_scale(gui):
    assert slider(gui, "radius", 4.0, length=4.0).max == pytest.approx(12.0)
    assert slider(gui, "radius", 400.0, length=4.0).max == pytest.approx(400.0)
    assert slider(gui, "step_degrees", 1.0, length=4.0).max == 10.0
