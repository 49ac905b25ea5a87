"""How far a render is: a bar for people, events for machines, and a trace of one of its programs."""

import resource
import sys
import time
from pathlib import Path

import jax

from nvs_jax.errors import InputError
from nvs_jax.saying import bar, log_event, say


class Progress:
    """A bar that moves as sampling goes on, and the seconds that each stage took.

    Args:
        legs: of the video.
        steps: of each.
        profile: a folder for a trace of one segment, see `SegmentTrace`.
    """

    def __init__(self, legs: int, steps: int, profile: Path | None = None):
        self.seconds: dict[str, float] = {}
        self._bar = bar(total=legs * steps, desc="warp", unit="step")
        self._done = 0
        self._trace = None if profile is None else SegmentTrace(profile)
        self._since = time.perf_counter()
        self._step = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        if self._trace is not None:
            self._trace.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """See `nvs_jax.diffusion.problem.Report`."""
        now = time.perf_counter()
        took = now - self._since
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + took, 3)
        self._bar.set_description(stage)
        if stage == "sample":
            steps, self._step = done - self._step, 0 if done == total else done
            pace = {"seconds_a_step": round(took / steps, 4)} if steps > 0 else {}
            log_event("step", step=done, steps=total, **pace, memory=memory())
            self._bar.update(self._done + done - self._bar.n)
            self._done += total if done == total else 0
        else:
            log_event(stage, seconds=round(took, 3), memory=memory())
        if self._trace is not None:
            self._trace(stage, done, total)
        self._since = time.perf_counter()


class SegmentTrace:
    """A trace of one segment of the sampling by JAX's profiler: the second one, whose program is compiled.

    Args:
        folder: for the trace.

    Raises:
        InputError: the folder cannot be made.
    """

    def __init__(self, folder: Path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"--profile {folder} cannot be made: {error.strerror}") from None
        self._folder, self._begun, self._ended = folder, False, False
        self._from = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._begun and not self._ended:
            self._end(f"steps {self._from + 1} to {done}")
        elif stage == "sample" and done < total and not self._begun:
            self._begun, self._from = True, done
            jax.profiler.start_trace(self._folder)

    def close(self) -> None:
        """End a trace whose segment did not."""
        if self._begun and not self._ended:
            self._end(f"what came after step {self._from}")
        elif not self._begun:
            say(f"nothing is traced in {self._folder}: that would be the second segment of the sampling")

    def _end(self, what: str) -> None:
        self._ended = True
        jax.profiler.stop_trace()
        say(f"a trace of {what} is in {self._folder}: xprof, TensorBoard or ui.perfetto.dev show it")


def memory() -> dict[str, int]:
    """Bytes: the most that the process has had, and what the fullest of its devices has and has had, if it says so."""
    unit = 1 if sys.platform == "darwin" else 1024
    held = {"host_most": unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    told = [stats for device in jax.local_devices() if (stats := device.memory_stats())]
    if told:
        held["device"] = max(stats.get("bytes_in_use", 0) for stats in told)
        held["device_most"] = max(stats.get("peak_bytes_in_use", 0) for stats in told)
    return held
