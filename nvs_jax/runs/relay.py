"""A way to the first process that does not break when that process does.

JAX ends a process at once, with an abort and a stack trace, when its connection to the first one breaks. A process
therefore talks to a relay of its own, on the loopback: it holds its end open when the other end is gone, and says so.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_AT_ONCE = 2**16
_REACHED_IN = 3.0
_DYING = 10.0
"""Seconds in which a process that is killed closes all it had open, one thing after the other, on a busy machine."""


def relay(address: str, lost: Callable[[], None]) -> str:
    """Listen on the loopback, and hand on what comes to an address and back, while this process lives.

    Args:
        address: host and port.
        lost: called when nobody listens there any more; connections that are made anew are none of its business.

    Returns:
        The address to use in its place.
    """
    host, _, port = address.rpartition(":")
    there = host.strip("[]"), int(port)
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            near, _ = server.accept()
            threading.Thread(target=connect, args=(near,), daemon=True).start()

    def connect(near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(there, timeout=_REACHED_IN) as far:
            far.settimeout(None)
            outward = threading.Thread(target=send_out, args=(near, far), daemon=True)
            outward.start()
            _hand_on(far, near)
            until = time.monotonic() + _DYING
            while (alive := _listens(there)) and outward.is_alive() and time.monotonic() < until:
                time.sleep(_DYING / 10)
            if alive:
                _shut(near)  # only the connection was lost; JAX makes another one
            else:
                lost()  # and this end stays open
            outward.join()

    def send_out(near: socket.socket, far: socket.socket) -> None:
        _hand_on(near, far)
        _shut(far)

    threading.Thread(target=accept, daemon=True).start()
    return f"127.0.0.1:{server.getsockname()[1]}"


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    """Until the source is closed; what the target does not take is dropped."""
    with suppress(OSError):
        while data := source.recv(_AT_ONCE):
            with suppress(OSError):
                target.sendall(data)


def _shut(end: socket.socket) -> None:
    """Close it, though another thread waits for what comes from there."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def _listens(there: tuple[str, int]) -> bool:
    try:
        socket.create_connection(there, timeout=_REACHED_IN).close()
    except OSError:
        return False
    return True
