"""What a benchmark has found so far, on disk as a whole after every finding. No JAX and no PyTorch here."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nvs_jax.disk import atomic_path
from nvs_jax.disk.files import read_bounded
from nvs_jax.errors import InputError
from scripts.accelerator.page import markdown
from scripts.accelerator.rows import Entry, read_entry

NAME = "results.json"
RUNNING = "running, or killed"
_MOST_BYTES = 2**26


@dataclass
class Record:
    """The findings of a run, in a folder.

    Attributes:
        folder: for results.json and results.md.
        entries: so far.
        state: "finished", or why it is not.
    """

    folder: Path
    entries: list[Entry] = field(default_factory=list)
    state: str = RUNNING

    def add(self, entries: Iterable[Entry]) -> None:
        """Note findings, on disk too."""
        self.entries.extend(entries)
        self.write()

    def finish(self, state: str = "finished") -> None:
        self.state = state
        self.write()

    def write(self) -> None:
        """Replace both files, each as a whole."""
        stored = {"state": self.state, "rows": [entry.as_dict() for entry in self.entries]}
        with atomic_path(self.folder / NAME) as path:
            path.write_text(json.dumps(stored, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        with atomic_path(self.folder / "results.md") as path:
            path.write_text(markdown(self.entries, self.state), encoding="utf-8")


def begin(folder: Path) -> Record:
    """A new record; an earlier run's moves out of its way, to a name with the time."""
    folder.mkdir(parents=True, exist_ok=True)
    earlier = folder / NAME
    if earlier.exists():
        written = time.strftime("%Y%m%d-%H%M%S", time.localtime(earlier.stat().st_mtime))
        earlier.rename(_free(folder / f"results-{written}.json"))
    record = Record(folder)
    record.write()
    return record


def _free(path: Path) -> Path:
    count, name = 1, path
    while name.exists():
        count += 1
        name = path.with_stem(f"{path.stem}-{count}")
    return name


def read(source: Path) -> list[Entry]:
    """The findings in a results.json, or in the folder that holds one.

    Raises:
        InputError: there is none, or it is something else.
    """
    path = source / NAME if source.is_dir() else source
    if not path.is_file():
        raise InputError(f"{path} is missing: name two results.json, or the folders that hold them")
    try:
        return [read_entry(row) for row in json.loads(read_bounded(path, _MOST_BYTES).decode("utf-8"))["rows"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not what scripts/bench_accelerator.py writes: {error}") from None


def merged(runs: Sequence[Sequence[Entry]]) -> list[Entry]:
    """All findings; of two of the same thing on the same card the later one, in the earlier one's place."""
    entries = {entry.key: entry for run in runs for entry in run}
    return list(entries.values())
