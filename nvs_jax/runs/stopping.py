"""Signals that ask a run to stop. No JAX here.

SIGTERM is what schedulers and cloud machines send some seconds before they take the machine away, SIGHUP what a
terminal sends that goes away. Both stop a run when its state is saved; `nohup` lets it go on, as always. SIGINT,
Ctrl-C, ends it at once.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

EXIT_CODE = 75
"""Of a command that stopped on request and can go on: EX_TEMPFAIL of sysexits.h, "try again later"."""


class Stopped(Exception):  # noqa: N818, for it is no error
    """A run that was asked to stop did so, with all it had computed on disk.

    Attributes:
        where: how far it is.
    """

    def __init__(self, where: str, again: str = "the same command with --resume"):
        super().__init__(f"stopped {where}; {again} goes on")
        self.where = where


class StopRequest:
    """Whether somebody asked to stop; asked for by setting `wanted`.

    Attributes:
        wanted: stop when the state is saved.
        interrupted: Ctrl-C was pressed. It has raised KeyboardInterrupt, but what runs at that moment may swallow it.
    """

    def __init__(self) -> None:
        self.wanted = False
        self.interrupted = False

    def obey(self, where: str) -> None:
        """Stop here, if asked to.

        Args:
            where: how far the work is, to be told to the user.

        Raises:
            Stopped: it was asked for.
            KeyboardInterrupt: it was, by Ctrl-C.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        if self.wanted:
            raise Stopped(where)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """SIGTERM and SIGHUP ask to stop while the block runs, in place of ending the process at once.

    What is ignored stays ignored. Signals reach Python's main thread only; in another one nothing changes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(*_: Any) -> None:
        request.wanted = True

    def interrupt(*_: Any) -> None:
        request.interrupted = True
        raise KeyboardInterrupt

    wanted: dict[signal.Signals, Callable[..., None]] = {signal.SIGTERM: ask, signal.SIGHUP: ask}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        wanted[signal.SIGINT] = interrupt
    former = {
        number: signal.signal(number, handler)
        for number, handler in wanted.items()
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield request
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
