"""The server of the page, and whom it lets in.

viser alone would send any file of the machine to whoever asks for /../..., take orders from a page of another site that
is open in a browser here, tunnel itself to the internet at the press of a button, and listen at another port where the
one that was asked for is taken.
"""

import http
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from nvs_jax.errors import InputError


def opened(host: str, port: int, label: str) -> Any:
    """A viser server that says nothing, and lets in only what `why_not` does.

    Raises:
        InputError: it cannot be guarded, or listens elsewhere, as the port was taken meanwhile.
    """
    import rich
    import viser

    rich.get_console().quiet = True  # it prints a box when it starts, and a line when it ends
    with _guarded(is_loopback(host)) as guards:
        server = viser.ViserServer(host=host, port=port, label=label, verbose=False)
    if not guards:
        server.stop()
        raise InputError(f"the studio cannot guard its page with viser {viser.__version__}: pip install 'viser<1'")
    if server.get_port() != port:
        server.stop()
        raise InputError(f"cannot listen at {host}:{port}, which is taken: choose another --port")
    server.request_share_url = lambda verbose=True: None
    return server


def why_not(path: str, asked_of: str, origin: str | None, *, loopback: bool) -> str | None:
    """Why a request is refused; None: it is not.

    Args:
        path: that is asked for.
        asked_of: the name of this server as the browser knows it, with its port.
        origin: of the page that asks, where a browser says so.
        loopback: whether the server listens at the loopback: under another name (which somebody's name server has for
            127.0.0.1) it is not asked by those who started it.

    >>> why_not("/", "localhost:8080", "http://localhost:8080", loopback=True)
    >>> why_not("/", "localhost:8080", "https://example.com", loopback=True)
    'a page of https://example.com asked'
    >>> why_not("/", "example.com:8080", None, loopback=True)
    'example.com:8080 is not where it listens'
    >>> why_not("/../../etc/passwd", "localhost:8080", None, loopback=True)
    'no such file'
    """
    if ".." in unquote(path.partition("?")[0]).replace("\\", "/").split("/"):
        return "no such file"
    if loopback and not is_loopback(urlsplit(f"//{asked_of}").hostname or ""):
        return f"{asked_of} is not where it listens"
    if origin is not None and urlsplit(origin).netloc != asked_of:
        return f"a page of {origin} asked"
    return None


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine alone.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _guarded(loopback: bool) -> Iterator[list[Callable[..., Any]]]:
    """Servers of websockets that start meanwhile are guarded; the list has what guards them."""
    import websockets.asyncio.server as module

    serve, guards = module.serve, []

    def guarded(handler: Any, *given: Any, process_request: Any = None, **named: Any) -> Any:
        def admit(connection: Any, request: Any) -> Any:
            headers = request.headers
            reason = why_not(request.path, headers.get("Host", ""), headers.get("Origin"), loopback=loopback)
            if reason is not None:
                return connection.respond(http.HTTPStatus.FORBIDDEN, f"refused: {reason}\n")
            return None if process_request is None else process_request(connection, request)

        guards.append(admit)
        return serve(handler, *given, process_request=admit, **named)

    module.serve = guarded
    try:
        yield guards
    finally:
        module.serve = serve
