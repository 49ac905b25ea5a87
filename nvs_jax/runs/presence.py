"""Whether the processes that share a render are all there. No JAX here.

None of them can go on without the others, and what waits for one that is gone waits for ever, inside a program of
JAX's, where no exception reaches it. A thread of each process therefore says every second that it is there, and looks
whether the others said so. When one has gone it names it and ends its own process.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from nvs_jax.runs.endings import MISSING
from nvs_jax.runs.shares import Share
from nvs_jax.runs.stopping import EXIT_CODE, StopRequest
from nvs_jax.saying import say

_KEYS = "nvs_jax/presence/"
_DONE, _ENDS, _LOST = "done", "ends", "lost"
_AGAIN = "start all of them again with --resume"


@runtime_checkable
class Board(Protocol):
    """What all processes read and write: JAX's store of keys and values."""

    def key_value_set(self, key: str, value: str, allow_overwrite: bool = False) -> None: ...

    def key_value_dir_get(self, key: str) -> list[tuple[str, str]]: ...


@dataclass(frozen=True)
class Patience:
    """Seconds.

    Attributes:
        beat: between two signs of life.
        silence: without one, after which a process counts as gone: longer than anything keeps its threads from running.
        grace: in which a process that was told to stop may go on to the next state. Cloud machines go half a minute
            after they say so.
    """

    beat: float = 1.0
    silence: float = 30.0
    grace: float = 20.0


@dataclass
class Heard:
    """What was last heard of a process, and when."""

    sign: str = ""
    at: float = 0.0


@dataclass
class Presence:
    """This process among those of a render.

    Attributes:
        share: which it is of how many.
        board: where they leave signs of life.
        stop: this process's own request to stop.
        first_gone: set when the first process cannot be reached any more.
        patience: how long to wait.
        end: ends the process at once.
    """

    share: Share
    board: Board
    stop: StopRequest
    first_gone: threading.Event = field(default_factory=threading.Event)
    patience: Patience = Patience()
    end: Callable[[int], object] = os._exit
    tidy: list[Callable[[], object]] = field(default_factory=list)
    """Called before the process is ended."""

    def __post_init__(self) -> None:
        self._clock, self._answered = 0.0, 0.0
        self._asked_at: float | None = None
        self._heard = {index: Heard() for index in range(self.share.count) if index != self.share.index}
        self._sign = ""

    def start(self) -> None:
        """Say and look, from now on."""
        for work in (self._say_and_look, self._judge):
            threading.Thread(target=work, daemon=True).start()

    def part(self) -> None:
        """This process is done: wait until the others are, too, since the first one keeps what all need."""
        self._sign = _DONE
        time.sleep(1.5 * self.patience.beat)  # in which it is said
        while self._still_at_work():
            time.sleep(self.patience.beat / 4)
        if self.share.index == 0:  # the last of them may not have read yet that this one is done
            self._have_it_read()

    def leave(self, code: int) -> None:
        """This process ends before it is done: let the others know."""
        self._sign = f"{_ENDS} {code}"
        self._have_it_read()

    def _have_it_read(self) -> None:
        """Wait until the sign is posted, and where the board goes with this process until the others have seen it."""
        time.sleep((1.5 if self.share.index else 3.0) * self.patience.beat)

    def wait_for_news(self) -> None:
        """After an error that may be another's end: until that would be known, and this process ended."""
        time.sleep(self.patience.silence + 3 * self.patience.beat)

    def _still_at_work(self) -> bool:
        if self.share.index == 0:
            return any(heard.sign != _DONE and not self._is_gone(index) for index, heard in self._heard.items())
        return self._heard[0].sign != _DONE and not self._is_gone(0)

    def _say_and_look(self) -> None:
        count = 0
        while True:
            count += 1
            with suppress(Exception):  # the first process is gone, which `pass_time` finds out
                self.board.key_value_set(f"{_KEYS}{self.share.index}", self._sign or str(count), allow_overwrite=True)
                self.hear(dict(self.board.key_value_dir_get(_KEYS)))
            time.sleep(self.patience.beat)

    def hear(self, signs: Mapping[str, str]) -> None:
        """Take note of the signs on the board."""
        self._answered = self._clock
        for index, heard in self._heard.items():
            sign = signs.get(f"{_KEYS}{index}", "")
            if sign != heard.sign:
                heard.sign, heard.at = sign, self._clock

    def _judge(self) -> None:
        before = time.monotonic()
        while True:
            time.sleep(self.patience.beat / 4)
            now = time.monotonic()
            self.pass_time(min(now - before, self.patience.beat))  # a process that was frozen itself blames nobody
            before = now

    def pass_time(self, seconds: float) -> None:
        """Let so much time pass; end the process if another one is gone, or its own grace is over."""
        self._clock += seconds
        if self._sign.startswith((_ENDS, _LOST)):
            return
        if not self._sign and self._grace_is_over():
            say(f"{self._name(self.share.index)} was told to stop and does, in the middle of a segment; {_AGAIN}")
            self.leave(EXIT_CODE)
            self._end(EXIT_CODE)
        gone = self._who_is_gone()
        if gone is not None and (not self._sign or (self.share.index and gone == 0 and self._heard[0].sign != _DONE)):
            say(f"{self._name(gone)} {self._why(gone)}: this one cannot go on alone; {_AGAIN}")
            if gone != 0:  # else there is no board; all name the one who was first, not each other
                self._sign = f"{_LOST} {gone}"
                self._have_it_read()
            self._end(MISSING)

    def _who_is_gone(self) -> int | None:
        """The process that is gone, as another one says or by itself."""
        for heard in self._heard.values():
            if heard.sign.startswith(_LOST) and (lost := int(heard.sign.split()[1])) != self.share.index:
                return lost
        return next((index for index in self._heard if self._is_gone(index)), None)

    def _grace_is_over(self) -> bool:
        if not self.stop.wanted:
            return False
        if self._asked_at is None:
            self._asked_at = self._clock
        return self._clock - self._asked_at > self.patience.grace

    def _is_gone(self, index: int) -> bool:
        heard = self._heard[index]
        if heard.sign.startswith((_ENDS, _LOST)):
            return True
        if index == 0 and (self.first_gone.is_set() or self._clock - self._answered > self.patience.silence):
            return True
        # Who cannot ask the first one knows nothing of the others.
        silent = self._answered - heard.at > self.patience.silence
        return heard.sign != _DONE and silent

    def _why(self, index: int) -> str:
        sign = self._heard[index].sign
        if sign == f"{_ENDS} {EXIT_CODE}":
            return "was told to stop"
        return f"ended with exit code {sign.split()[1]}" if sign.startswith(_ENDS) else "is missing"

    def _name(self, index: int) -> str:
        return f"process {index} of {self.share.count}"

    def _end(self, code: int) -> None:
        for each in self.tidy:
            with suppress(Exception):
                each()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        self.end(code)
