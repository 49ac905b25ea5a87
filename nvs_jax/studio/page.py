"""What all panels share: the session as it is now, how it is changed, and who is told. No browser here."""

import threading
import traceback
from collections.abc import Callable
from typing import Any

from nvs_jax.errors import InputError
from nvs_jax.saying import say
from nvs_jax.studio.session import Session

Told = Callable[[Session], None]


class Page:
    """One session for everyone who looks at it.

    A change is made at once; what is shown of it follows in a thread of its own. Of changes that come faster than
    pictures are made, those in between are left out.

    Args:
        session: to begin with.
        refused: told what a change cannot be, in a line.

    Attributes:
        fast: what is shown of every change, such as the camera's picture.
        slow: what is shown when no other change has come meanwhile, such as all frames.
    """

    def __init__(self, session: Session, refused: Callable[[str], None]):
        self._session, self._refused = session, refused
        self._lock, self._asked, self._closed = threading.RLock(), threading.Event(), False
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

    def refresh(self) -> None:
        """Show the session again."""
        with self._turn:
            self._idle.clear()
            self._asked.set()

    def wait(self, seconds: float = 60.0) -> bool:
        """Until all is shown; whether it is."""
        return self._idle.wait(seconds)

    def close(self) -> None:
        """Show nothing any more."""
        self._closed = True
        self._asked.set()

    def _show(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._closed:
                return
            session = self._session
            try:
                for told in self.fast:
                    told(session)
                for told in self.slow:
                    if self._asked.is_set():
                        break
                    told(session)
            except InputError as error:
                self._refused(str(error))
            except Exception as error:  # the page stays; the terminal has all of it
                say(traceback.format_exc())
                self._refused(f"{type(error).__name__}: {error}")
            with self._turn:
                if not self._asked.is_set():
                    self._idle.set()
