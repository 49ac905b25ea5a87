"""Renders started at the studio: one at a time, watched while they go on, and stopped with nothing half done."""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8

from nvs_jax.errors import InputError
from nvs_jax.runs.stopping import Stopped, StopRequest
from nvs_jax.saying import say
from nvs_jax.settings.jobs import RenderJob
from nvs_jax.studio.watching import Watch

State = Literal["idle", "running", "done", "stopped", "failed"]
Renderer = Callable[[RenderJob, StopRequest, Watch], Any]
"""Renders a job into its folder, and tells the watch; see `nvs_jax.commands.studio`."""


@dataclass(frozen=True)
class Progress:
    """How far a render is.

    Attributes:
        state: of it.
        job: that is rendered.
        stage: what it does: see `nvs_jax.diffusion.problem.Report`.
        share: of the stage that is done.
        preview: a few frames as they become clear, side by side.
        line: what became of it, in words.
        since: when it began, in seconds of `time.monotonic`.
    """

    state: State = "idle"
    job: RenderJob | None = None
    stage: str = ""
    share: float = 0.0
    preview: UInt8[np.ndarray, "h w 3"] | None = None
    line: str = ""
    since: float = 0.0

    @property
    def result(self) -> Path | None:
        """The folder of a render that is done."""
        return self.job.out if self.state == "done" and self.job is not None else None


class Renders:
    """The renders of a studio, each in a thread of its own; whoever watches may come and go.

    Args:
        render: does the work.
    """

    def __init__(self, render: Renderer):
        self._render = render
        self._followers: list[Callable[[Progress], None]] = []
        self._lock = threading.Lock()
        self._stop, self._thread = StopRequest(), threading.Thread()
        self.progress = Progress()

    def start(self, job: RenderJob) -> None:
        """Begin a render; this returns at once. An interrupted one of the same job goes on where it was.

        Raises:
            InputError: another one is going on.
        """
        with self._lock:
            if self.progress.state == "running":
                raise InputError(f"{self._out} is being rendered: wait for it, or cancel it")
            self._stop = StopRequest()
            self.progress = Progress("running", job, "inputs", since=time.monotonic())
            self._thread = threading.Thread(target=self._work, args=(job, self._stop), name="render")
            self._thread.start()
        self._tell()

    def follow(self, follower: Callable[[Progress], None]) -> None:
        """Tell somebody of the progress whenever there is some, in the render's thread."""
        self._followers.append(follower)

    def cancel(self) -> None:
        """Stop the render as soon as its state is on disk; the same job goes on from there."""
        self._stop.wanted = True

    def wait(self) -> Progress:
        """How it was when no render goes on any more."""
        if self._thread.ident is not None:
            self._thread.join()
        return self.progress

    @property
    def _out(self) -> Path | None:
        return None if self.progress.job is None else self.progress.job.out

    def _work(self, job: RenderJob, stop: StopRequest) -> None:
        try:
            self._render(replace(job, resume=True), stop, Watch(stop, self._reported, self._previewed))
            self._now(state="done", line=f"{job.out} is complete after {time.monotonic() - self.progress.since:.0f} s")
        except Stopped as stopped:
            self._now(state="stopped", line=f"stopped {stopped.where}; Render goes on from there")
        except InputError as error:
            self._now(state="failed", line=str(error))
        except Exception as error:  # whatever it is, the studio goes on; the terminal has all of it
            say(traceback.format_exc())
            self._now(state="failed", line=" ".join(f"{type(error).__name__}: {error}".split())[:300])

    def _reported(self, stage: str, done: int, total: int) -> None:
        self._now(stage=stage, share=done / total)

    def _previewed(self, picture: UInt8[np.ndarray, "h w 3"]) -> None:
        self._now(preview=picture)

    def _now(self, **changes: Any) -> None:
        self.progress = replace(self.progress, **changes)
        self._tell()

    def _tell(self) -> None:
        for follower in self._followers:
            follower(self.progress)
