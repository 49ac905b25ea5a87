"""What the command says. A terminal that is gone, a pipe that nobody reads and a full disk decide nothing about the
work: what cannot be written is dropped. No JAX here.

Lines for people go to standard error (`say`, `bar`), answers to standard output (`tell`). Where machines read the log,
what goes to standard error is one JSON object a line (`log_as`).
"""

import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

from nvs_jax.remote import spelt

if TYPE_CHECKING:
    from tqdm import tqdm


class Unfailing:
    """A text stream that drops what it cannot write, and after the first failure everything.

    Args:
        stream: the stream; None, as Python has it where the process was started without one, takes everything.
    """

    def __init__(self, stream: TextIO | None):
        self._stream, self._lost = stream, stream is None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what the stream's encoding has no letters for as escapes."""
        try:
            if self._stream is not None and not self._lost:
                encoding = getattr(self._stream, "encoding", None) or "utf-8"
                self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except (OSError, ValueError) as error:  # a ValueError: it is closed
            self._drop(error)
        return len(text)

    def flush(self) -> None:
        try:
            if self._stream is not None and not self._lost:
                self._stream.flush()
        except (OSError, ValueError) as error:
            self._drop(error)

    def isatty(self) -> bool:
        try:
            return self._stream is not None and not self._lost and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def _drop(self, error: Exception) -> None:
        """From now on the stream leads nowhere, also for what it still holds: Python flushes it when it ends."""
        self._lost = True
        stream = cast(TextIO, self._stream)
        try:
            number = stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
            stream.flush()
        except (OSError, ValueError, AttributeError):
            return
        if number == 1 and isinstance(error, OSError) and error.errno != errno.EPIPE:
            say(f"standard output cannot be written: {error.strerror}")


@contextmanager
def lasting_output() -> Iterator[None]:
    """Around a command: whatever is printed in the block, by whomever, never ends it."""
    _open_descriptors()
    # Python has None for a stream that was closed; what looks at its encoding or its terminal would stumble.
    out = Unfailing(sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False))
    err = Unfailing(sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False))
    with redirect_stdout(cast(TextIO, out)), redirect_stderr(cast(TextIO, err)):
        try:
            yield
        finally:
            out.flush()
            err.flush()


LogKind = Literal["text", "json"]

_log: dict[str, Any] = {"kind": "text", "job": None}
"""How the whole process logs, from whichever thread, and the job that it is at."""


@contextmanager
def log_as(kind: LogKind) -> Iterator[None]:
    """Around a command: what is said in the block is for people, or for machines."""
    former = dict(_log)
    _log["kind"] = kind
    try:
        yield
    finally:
        _log.update(former)


@contextmanager
def at_job(name: str) -> Iterator[None]:
    """Around one of a command's jobs: events in the block carry its name."""
    former, _log["job"] = _log["job"], name
    try:
        yield
    finally:
        _log["job"] = former


def is_for_machines() -> bool:
    """Whether machines read what is said."""
    return _log["kind"] == "json"


def log_event(event: str, **what: Any) -> None:
    """An event for machines: a line with the time, the job, the event's name and what there is to say of it."""
    if is_for_machines():
        known = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "job": _log["job"], "event": event}
        _print_line(json.dumps(known | what))


def say(text: str) -> None:
    """A line for people, on standard error."""
    if is_for_machines():
        log_event("said", text=spelt(text))
    else:
        _print_line(spelt(text))


def _print_line(text: str) -> None:
    print(text, file=cast(TextIO, Unfailing(sys.stderr)), flush=True)


def tell(text: str) -> None:
    """An answer, on standard output."""
    print(spelt(text), file=cast(TextIO, Unfailing(sys.stdout)), flush=True)


def bar(*given: Any, **options: Any) -> "tqdm[Any]":
    """A progress bar on standard error, where that is a terminal; see `tqdm`."""
    from tqdm import tqdm  # which --help need not wait for

    stream = Unfailing(sys.stderr)
    quiet = options.pop("disable", False) or is_for_machines() or not stream.isatty()
    return tqdm(*given, file=cast(TextIO, stream), disable=quiet, **options)


def _open_descriptors() -> None:
    """Open 0, 1 and 2 where they are closed: else a result's file would take such a number, and get the messages."""
    while True:
        number = os.open(os.devnull, os.O_RDWR)
        if number > 2:
            os.close(number)
            return
