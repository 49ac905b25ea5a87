"""SIGTERM, as schedulers and cloud machines send it some seconds before they take the machine away. No JAX here."""

import signal
import threading
from collections.abc import Iterator
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
    """Whether somebody asked to stop; asked for by setting `wanted`."""

    def __init__(self) -> None:
        self.wanted = False

    def obey(self, where: str) -> None:
        """Stop here, if asked to.

        Args:
            where: how far the work is, to be told to the user.

        Raises:
            Stopped: it was asked for.
        """
        if self.wanted:
            raise Stopped(where)


@contextmanager
def stop_on_sigterm() -> Iterator[StopRequest]:
    """SIGTERM asks to stop while the block runs, in place of ending the process at once.

    Signals reach Python's main thread only; in another one nothing changes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(*_: Any) -> None:
        request.wanted = True

    former = signal.signal(signal.SIGTERM, ask)
    try:
        yield request
    finally:
        signal.signal(signal.SIGTERM, former)
