"""A stage's process: runs what it is told to, and writes a line for every finding as soon as it has it.

It ends with its parent: the driver holds the other end of its standard input.
"""

import importlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.accelerator.environment import environment
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import SIZES, SizeName


@dataclass(frozen=True)
class Task:
    """What a child is told.

    Attributes:
        side: of all its stages.
        size: its name.
        stages: pairs of a name and "module:function".
        lines: the file it writes to.
    """

    side: str
    size: SizeName
    stages: list[list[str]]
    lines: str


def main(task: Task) -> None:
    """Run all stages; one that fails says so and leaves the others be."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with Path(task.lines).open("a", encoding="utf-8") as file:

        def tell(**line: Any) -> None:
            file.write(json.dumps(line) + "\n")
            file.flush()

        known: Mapping[str, str] | None = None
        for name, function in task.stages:
            try:
                known = environment(task.side) if known is None else known
                module, _, attribute = function.partition(":")
                for row in getattr(importlib.import_module(module), attribute)(SIZES[task.size]):
                    tell(stage=name, row=asdict(row), environment=known)
            except Exception as error:  # whatever a device, a compiler or a library may think of
                traceback.print_exc()
                tell(stage=name, row=asdict(Row("stage", note=reason(error), failed=True)), environment=known or {})
            tell(end=name)


def reason(error: BaseException) -> str:
    r"""An exception in a line.

    >>> reason(ValueError("no\nroom"))
    'ValueError: no room'
    """
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)  # what this process started, too


if __name__ == "__main__":
    main(Task(**json.loads(sys.argv[1])))
