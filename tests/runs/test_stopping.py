import os
import signal

import pytest

from nvs_jax.runs.stopping import Stopped, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_is_obeyed_when_the_state_is_saved(number):
    former = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), number)
            with pytest.raises(Stopped, match="after step 3"):
                stop.obey("after step 3")
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, former)


def test_under_nohup_a_run_goes_on():
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            stop.obey("anywhere")
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)


@pytest.fixture
def with_ctrl_c():
    """Ctrl-C as in a terminal: a job in the background ignores it."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_ctrl_c_that_something_swallowed_is_obeyed_later(with_ctrl_c):
    with stop_on_signals() as stop:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            stop.obey("after step 3")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
