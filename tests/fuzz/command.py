"""The command on hostile input: it may do its job or refuse in one line, and nothing else."""

import contextlib
import io
import resource
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from nvs_jax.cli import main

# What a run may take beyond what the process has taken before, in bytes: any allocation that believes a header of
# 10^12 elements is far above this.
MOST_MEMORY = 600 * 2**20

# Files change under the tests, not the tests' own state: a folder may serve many examples.
UNLIKE_OTHERS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def fuzz(examples: int) -> settings:
    """So many examples in `make test-full`; in `make test`, as of hypothesis's own number, a quarter."""
    most = examples * settings().max_examples // 100
    return settings(max_examples=most, deadline=None, suppress_health_check=UNLIKE_OTHERS, database=None)


# Bytes to change, headers more often than the rest, and how much of a file to keep.
CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8)
KEEP = st.just(1.0) | st.floats(0, 1)


def damaged(content: bytes, changes: list[tuple[float, int]], keep: float = 1.0) -> bytes:
    """`content` with some bytes changed, and perhaps cut."""
    changed = bytearray(content)
    for place, value in changes:
        changed[int(place**3 * len(changed))] = value
    return bytes(changed[: round(keep * len(changed))])


def outcome(arguments: list[str], out: Path) -> str:
    """Run the command, which must succeed and make `out`, or say in one line why not and leave everything as it was.

    Returns:
        the line, empty after a success. What `out` holds is the caller's to remove.
    """
    before = _listing(out.parent)
    peak, said = _peak_memory(), io.StringIO()
    code: object = 0
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            main(arguments)
        except SystemExit as stop:
            code = stop.code
    assert _peak_memory() - peak < MOST_MEMORY, f"{(_peak_memory() - peak) / 2**20:.0f} MiB"
    if code == 0:
        assert out.is_dir()
        return ""
    assert code == 2
    lines = [line for line in said.getvalue().splitlines() if line and " is read as " not in line]
    assert len(lines) == 1, lines
    assert lines[0].startswith("nvs-jax: error: ")
    assert len(lines[0]) < 1000, "not a line to read"
    assert _listing(out.parent) == before
    return lines[0].removeprefix("nvs-jax: error: ")


def _listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((path.as_posix(), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def _peak_memory() -> int:
    """The most memory this process has held so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
