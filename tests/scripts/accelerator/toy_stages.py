"""Stages for tests of the driver: they find out nothing, each in its own way."""

import os
import signal
import subprocess
import sys
import time

from scripts.accelerator.rows import Row
from scripts.accelerator.stages import Stage


def stage(name: str, box: float = 60.0, process: str = "") -> Stage:
    return Stage(name, "none", box, f"tests.scripts.accelerator.toy_stages:{name}", "", process)  # pyright: ignore[reportArgumentType]


def quick(size):
    yield Row("first", {"ms": 1.5})
    yield Row("second", {"ms": float("inf")})


def other(size):
    yield Row("third", {"ms": 3.0}, "of the other")


def slow(size):
    """With a process of its own, which must not outlive it."""
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield Row("before", {"grandchild": grandchild.pid})
    time.sleep(600)


def broken(size):
    yield Row("before it broke", {"ms": 1.0})
    raise ValueError("of two\nlines")


def crashing(size):
    yield Row("before it crashed", {"ms": 1.0})
    print("the last words", flush=True)
    os.kill(os.getpid(), signal.SIGABRT)
