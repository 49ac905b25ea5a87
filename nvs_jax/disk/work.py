"""The hidden folder beside a target, in which what becomes the target is made; and what a killed process left of it.

    .NAME.run/
        .nvs-jax.json   says that the folder is ours, with a random id
        .nvs-jax.lock   held by the process that works on NAME
        result/         becomes NAME when it is complete, with the id of this folder in its record
        former/         what was at NAME, while it is replaced where the file system cannot exchange two folders
        legs/, run.json what an interrupted run goes on from: see `nvs_jax.runs.resume`

A folder of that name without our mark is somebody else's. Neither dates nor numbers of processes decide anything.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nvs_jax.disk.destination import Kind
from nvs_jax.disk.locking import locked_folder
from nvs_jax.disk.manifest import MADE_BY, delete_listed, read_json_file, read_manifest, remove_empty, write_json
from nvs_jax.errors import InputError
from nvs_jax.saying import say

MARK, _LOCK, KEPT = ".nvs-jax.json", ".nvs-jax.lock", "legs"
_OTHERS = ("run.json.new", "run.json")
"""Files in a work folder beside the mark and the lock."""


@dataclass(frozen=True)
class Work:
    """A target that this process works on, alone.

    Attributes:
        out: the target.
        kind: what it becomes.
        folder: the hidden one.
        id: of the folder that is made.
    """

    out: Path
    kind: Kind
    folder: Path
    id: str

    @property
    def staged(self) -> Path:
        """Becomes the target when it is complete."""
        return self.folder / "result"

    @property
    def former(self) -> Path:
        """What was there, on its way out."""
        return self.folder / "former"

    def is_published(self) -> bool:
        """Whether what was made here is at the target."""
        there = read_manifest(self.out, self.kind.record)
        return there is not None and there.id == self.id

    def follow(self) -> None:
        """Take along, to where the target is, what of an interrupted run's states has changed here: nothing, here."""

    def clear(self) -> None:
        """Remove the folder, and all in it that is ours; the mark last, so that it is known until then."""
        for name in (KEPT, self.staged.name):
            if not (self.folder / name).is_symlink():
                shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in _OTHERS:
            (self.folder / name).unlink(missing_ok=True)
        if {path.name for path in self.folder.iterdir()} <= {MARK, _LOCK}:
            for name in (MARK, _LOCK):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()

    def dispose(self, former: Path) -> None:
        """Delete what the former target lists. What else is in it (it came there meanwhile) is kept, and said."""
        try:
            manifest = None if former.is_symlink() else read_manifest(former, self.kind.record)
            gone = remove_empty(former) if manifest is None else delete_listed(former, manifest)
            if not gone:
                self.keep(former)
        except OSError as error:
            say(f"{former}, which is replaced, could not be removed: {error.strerror}")

    def keep(self, former: Path) -> None:
        """Give a folder that is not to be lost a name beside the target."""
        kept = self.out.with_name(f"{self.out.name}-{os.urandom(4).hex()}")
        former.rename(kept)
        say(f"{self.out}: what else was there is now in {kept}")


def hidden_folder(out: Path) -> Path:
    """The work folder of a target."""
    return out.parent / f".{out.name}.run"


@contextmanager
def work_here(out: Path, kind: Kind) -> Iterator[Work]:
    """Work on a target on this machine, alone; what a killed process left half done is undone first.

    What the block leaves in the work folder is removed, but for the states of an interrupted run.

    Args:
        out: the target, resolved.
        kind: what it becomes.

    Raises:
        InputError: another process works on it, or the work folder's name is taken by something else.
    """
    folder = hidden_folder(out)
    _check_ours(folder)
    with locked_folder(folder, _LOCK, out):
        _check_ours(folder)
        mark = read_mark(folder)
        if mark is not None:
            _undo(Work(out, Kind(mark["kind"], mark["record"]), folder, mark["id"]))
        work = Work(out, kind, folder, _mark(folder, kind))
        try:
            yield work
        finally:
            if folder.exists():
                shutil.rmtree(work.staged, ignore_errors=True)
                if not (folder / KEPT).exists():
                    work.clear()


def recover_here(out: Path, kind: Kind) -> None:
    """Bring a target into the state before or after a replacement that a killed process left half done.

    States of an interrupted run stay.

    Raises:
        BusyError: another process works on it.
    """
    folder = hidden_folder(out)
    if folder.exists() and _is_ours(folder):
        with work_here(out, kind):
            pass


def _undo(work: Work) -> None:
    """Finish what a killed process had begun where its work was in its place already, take it back where not."""
    published = work.is_published()
    staged = read_manifest(work.staged, work.kind.record)
    exchanged = published or (staged is not None and staged.id != work.id)
    for former in (work.former, *([work.staged] if exchanged else [])):
        if former.is_symlink() or not former.is_dir():
            continue
        if published:
            work.dispose(former)
        elif os.path.lexists(work.out):  # somebody else's came there
            work.keep(former)
        else:
            former.rename(work.out)
    if not work.staged.is_symlink():
        shutil.rmtree(work.staged, ignore_errors=True)
    if published:
        shutil.rmtree(work.folder / KEPT, ignore_errors=True)
        for name in _OTHERS:
            (work.folder / name).unlink(missing_ok=True)


def _check_ours(folder: Path) -> None:
    if not _is_ours(folder):
        raise InputError(f"{folder} is in the way and not of this program: move it, or choose another --out")


def _is_ours(folder: Path) -> bool:
    """Whether a folder carries our mark, or holds nothing but what is there before the mark is, or is not there."""
    if folder.is_symlink():
        return False
    if read_mark(folder) is not None:
        return True
    try:
        return {path.name for path in folder.iterdir()} <= {_LOCK, f"{MARK}.new"}
    except NotADirectoryError:
        return False
    except FileNotFoundError:  # perhaps since a moment: another process finished
        return True


def _mark(folder: Path, kind: Kind) -> str:
    """Make a folder ours, with a new id."""
    mark = new_mark(kind)
    try:
        write_json(folder / MARK, mark)
    except OSError:
        if read_mark(folder) is None:  # a full disk: leave nothing
            for name in (f"{MARK}.new", _LOCK):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
        raise
    return mark["id"]


def new_mark(kind: Kind) -> dict[str, str]:
    """What says that a folder is ours, with a new id of what is made in it."""
    return {"made_by": MADE_BY, "id": os.urandom(16).hex(), "kind": kind.name, "record": kind.record}


def read_mark(folder: Path) -> dict[str, str] | None:
    """What a folder's mark says; None where it has none of ours."""
    mark = read_json_file(folder / MARK) or {}
    sound = mark.get("made_by") == MADE_BY and all(isinstance(mark.get(name), str) for name in ("id", "kind", "record"))
    return mark if sound and "/" not in mark["record"] else None
