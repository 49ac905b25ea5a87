"""What all panels share: the session as it is now, how it is changed, and who is told. No browser here."""

import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from nvs_jax.errors import InputError
from nvs_jax.saying import say
from nvs_jax.studio.session import Session

Told = Callable[[Session], Iterable[object] | None]
"""Shows a session; in pieces, if it takes long: it is left off after any of them when another session comes."""


class Page:
    """One session for everyone who looks at it.

    A change is made at once; what is shown of it follows in a thread of its own. Of changes that come faster than
    pictures are made, those in between are left out.

    Args:
        session: to begin with.
        refused: told what a change cannot be, in a line.

    Attributes:
        closed: nothing is shown any more.
        number: the frame of the path that is looked at.
        fast: what is shown of every change, such as the camera's picture.
        slow: what is shown when no other change has come meanwhile, such as all frames.
    """

    def __init__(self, session: Session, refused: Callable[[str], None]):
        self._session, self._refused = session, refused
        self._lock, self._asked, self.closed = threading.RLock(), threading.Event(), False
        self.number = 0
        self.fast: list[Told] = []
        self.slow: list[Told] = []
        self._idle, self._turn = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._show, name="studio", daemon=True)

    @property
    def session(self) -> Session:
        return self._session

    def begin(self) -> None:
        """Show what there is."""
        self._thread.start()
        self.refresh()

    def change(self, how: Callable[..., Session], *given: Any, **named: Any) -> bool:
        """Replace the session by what `how` makes of it.

        Returns:
            Whether it is changed: a mistake of the user's is told, and leaves it as it was.
        """
        try:
            with self._lock:
                self._session = how(self._session, *given, **named)
        except (InputError, OSError) as error:
            self._refused(str(error))
            return False
        self.refresh()
        return True

    def look_at(self, number: int) -> None:
        """Look at another frame of the path."""
        self.number = number
        self.refresh()

    def refresh(self) -> None:
        """Show the session again."""
        with self._turn:
            self._idle.clear()
            self._asked.set()

    def wait(self, seconds: float = 60.0) -> bool:
        """Until all is shown; whether it is."""
        return self._idle.wait(seconds)

    def close(self) -> None:
        """Show nothing any more; returns when nothing is computed any more, after which the process may end."""
        self.closed = True
        self._asked.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _show(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self.closed:
                return
            self._tell(self._session)
            with self._turn:
                if not self._asked.is_set():
                    self._idle.set()

    def _tell(self, session: Session) -> None:
        try:
            for told in self.fast:
                for _ in told(session) or ():
                    pass
            for told in self.slow:
                if self._asked.is_set():
                    return
                for _ in told(session) or ():
                    if self._asked.is_set():
                        return
        except InputError as error:
            self._refused(str(error))
        except Exception as error:  # the page stays; the terminal has all of it
            say(traceback.format_exc())
            self._refused(f"{type(error).__name__}: {error}")


def when_new(of: Callable[[Session], Sequence[Any]], told: Told) -> Told:
    """`told` where any of the things that it shows is another one than the last time.

    Args:
        of: what is shown of a session: values and objects, which are compared by identity where they have no other
            equality.
        told: shows it.
    """
    last: list[Sequence[Any]] = []

    def show(session: Session) -> Iterator[object]:
        now = tuple(of(session))
        if not last or now != last[0]:
            yield from told(session) or ()
            last[:] = [now]

    return show
