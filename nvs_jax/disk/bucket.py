"""A folder that is made on this machine and appears in an object store, which has neither renames nor locks.

    .NAME.run/            beside NAME in the store, as beside a folder here (see `nvs_jax.disk.work`)
        .nvs-jax.json     says that it is ours
        run.json, legs/   what an interrupted run goes on from, taken along after each state
        result/           the complete folder, its record last
        former.json       the record of what it replaces

Objects appear whole, one by one. What is made is first written to result/, its record last; from then on it is
complete, and whoever comes next, were it another machine, finishes what is left to do: the former record goes, so that
the place no longer looks finished, then the files change, and the record comes last. A place that has a record is
therefore whole.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from nvs_jax.disk.copies import scratch_folder
from nvs_jax.disk.destination import Kind
from nvs_jax.disk.manifest import Manifest, read_manifest
from nvs_jax.disk.mirror import changes
from nvs_jax.disk.work import KEPT, MARK, Work, hidden_folder, new_mark, read_mark
from nvs_jax.errors import InputError
from nvs_jax.remote import Address, address_of, copy, delete, download, listing, read, upload, write

_RESULT, _FORMER, _RUN = "result", "former.json", "run.json"
_MOST_RECORD = 2**26


@dataclass(frozen=True)
class BucketWork(Work):
    """A target in an object store that this process works on, in a folder here.

    Attributes:
        hidden: the folder beside the target.
        sent: what is there of an interrupted run's states, and when that changed here.
    """

    hidden: Address
    sent: dict[str, int] = field(default_factory=dict)

    def follow(self) -> None:
        """Have states in the store as they are here: new ones come before others go.

        Raises:
            OSError: the store.
        """
        here = _states(self.folder)
        upload(self.folder, [name for name in here if name != _RUN and self.sent.get(name) != here[name]], self.hidden)
        delete(self.hidden, [name for name in self.sent if name not in here])
        if _RUN in here and self.sent.get(_RUN) != here[_RUN]:  # after the states of another run are gone
            upload(self.folder, [_RUN], self.hidden)
        self.sent.clear()
        self.sent.update(here)

    def take_place(self) -> None:
        """Bring the complete folder, sealed, to its place; see above.

        Raises:
            InputError: something is there that may not be replaced; what was made is beside it.
            OSError: the store; the next command to the same place goes on.
        """
        names = [file.relative_to(self.staged).as_posix() for file in self.staged.rglob("*") if file.is_file()]
        upload(self.staged, [name for name in names if name != self.kind.record], self.hidden / _RESULT)
        upload(self.staged, [self.kind.record], self.hidden / _RESULT)
        finish(self.out)

    def clear(self) -> None:
        """Remove what is ours beside the target, and the folder here."""
        clear_hidden(self.hidden)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def work_in_bucket(out: Path, kind: Kind) -> Iterator[BucketWork]:
    """Work on a target in an object store; what another process left half done is finished or undone first.

    Nothing keeps two processes from the same target: whoever comes last stays.

    Raises:
        InputError: the name of the folder beside it is taken by something else.
        OSError: the store.
    """
    hidden = hidden_address(out)
    finish(out)
    with TemporaryDirectory(dir=scratch_folder()) as above:
        folder = Path(above) / hidden.path.name
        folder.mkdir()
        mark = new_mark(kind)
        write(hidden / MARK, (json.dumps(mark, indent=2) + "\n").encode())
        kept = [name for name in listing(hidden) if name == _RUN or name.startswith(f"{KEPT}/")]
        download(hidden, kept, folder)
        work = BucketWork(out, kind, folder, mark["id"], hidden, _states(folder))
        try:
            yield work
        finally:
            if not (folder / KEPT).exists():
                with suppress(OSError):  # what is left here is found by the next; the first error is the one to tell
                    work.clear()


def hidden_address(out: Path) -> Address:
    """Of the folder beside a target in an object store."""
    hidden = address_of(hidden_folder(out))
    assert hidden is not None
    return hidden


def finish(out: Path) -> None:
    """Bring what was made completely to its place, and remove what was not.

    Raises:
        InputError: the folder beside the target is not of this program, or the place is taken by something else.
        OSError: the store.
    """
    hidden, place = hidden_address(out), address_of(out)
    assert place is not None
    names, mark = listing(hidden), read_mark(hidden.path)
    if names and mark is None:
        raise InputError(f"{hidden} is in the way and not of this program: move it, or choose another --out")
    staged = [name.removeprefix(f"{_RESULT}/") for name in names if name.startswith(f"{_RESULT}/")]
    made = None if mark is None else read_manifest((hidden / _RESULT).path, mark["record"])
    if made is None or made.lacks((hidden / _RESULT).path) is not None:
        delete(hidden / _RESULT, staged)
        return
    _take_place(hidden, place, made)
    clear_hidden(hidden)


def _take_place(hidden: Address, place: Address, made: Manifest) -> None:
    """Put a complete folder where it belongs; right from whatever point an earlier try came to."""
    former = read_manifest(place.path, made.record)
    if former is not None and former.id != made.id:
        content = read(place / made.record, _MOST_RECORD)
        write(hidden / _FORMER, content or b"")
    former = read_manifest(hidden.path, _FORMER)  # what it listed, whoever replaced it
    there = listing(place)
    known = {*made.files, made.record, *(former.files if former else ())}
    foreign = next((name for name in sorted(there) if name not in known), None)
    if foreign is not None:
        kept = Address(place.scheme, f"{place.name}-{made.id[:8]}")
        copy(hidden / _RESULT, made.files, kept)
        copy(hidden / _RESULT, [made.record], kept)
        clear_hidden(hidden)
        raise InputError(f"{place} holds {foreign}, which came there meanwhile: what was made is in {kept}")
    delete(place, [made.record] if made.record in there else [])
    copy(hidden / _RESULT, made.files, place)
    delete(place, [name for name in there if name not in made.files and name != made.record])
    copy(hidden / _RESULT, [made.record], place)


def clear_hidden(hidden: Address) -> None:
    """Delete what is ours beside a target, the mark last.

    Raises:
        OSError: the store.
    """
    ours = [name for name in listing(hidden) if name in (_RUN, _FORMER) or name.startswith((f"{KEPT}/", f"{_RESULT}/"))]
    delete(hidden, ours)
    delete(hidden, [MARK])


def _states(folder: Path) -> dict[str, int]:
    """When each file of an interrupted run's states was last written, by name."""
    return {name: when for name, when in changes(folder).items() if name == _RUN or name.startswith(f"{KEPT}/")}
