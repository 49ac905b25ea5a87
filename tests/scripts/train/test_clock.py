import os
import signal

import pytest

from scripts.train.batches import next_batch
from scripts.train.clock import Span, since, stop_when_asked


def test_a_clock_goes_on_from_what_was_used():
    now = [100.0]
    clock = since(7.0, lambda: now[0])
    assert clock() == 7
    now[0] = 103
    assert clock() == 10


def test_the_rate_falls_over_the_last_part_of_the_time():
    span = Span(100, 200)
    assert [span.rate(now, 0.5) for now in (0, 100, 150)] == [1, 1, 1]
    assert span.rate(175, 0.5) == pytest.approx(0.51)
    assert span.rate(200, 0.5) == span.rate(300, 0.5) == pytest.approx(0.02)


def test_a_batch_that_does_not_fit_ends_the_search():
    assert next_batch({8: 100.0, 16: 190.0, 32: 0.0}, 8, 128, 1.3) == (16, True)
    assert next_batch({8: 100.0, 16: 190.0}, 8, 16, 1.3) == (16, True)


@pytest.fixture
def with_ctrl_c():
    """Ctrl-C as in a terminal: a job in the background ignores it."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_the_first_interrupt_asks_and_the_second_ends(with_ctrl_c):
    with pytest.raises(KeyboardInterrupt), stop_when_asked() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wanted
        os.kill(os.getpid(), signal.SIGINT)
    before = signal.getsignal(signal.SIGTERM)
    with stop_when_asked() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wanted
    assert signal.getsignal(signal.SIGTERM) is before
