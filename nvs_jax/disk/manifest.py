"""What makes a folder this program's own: a record that says so and lists its files.

    "made_by": "nvs-jax", "id": "9f...", "files": {"frames/000.png": 61234, ...}

stand in the record every folder has anyway (run.json of a result, nvs_jax.json of a checkpoint), which is written last.
Only what is listed is ever deleted. The id is random, another one for each folder made.
"""

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from nvs_jax.disk.moves import sync_file
from nvs_jax.errors import InputError
from nvs_jax.remote import address_of, listing, read

MADE_BY = "nvs-jax"
_MOST_BYTES = 2**26
"""Of a record that is read."""


@dataclass(frozen=True)
class Manifest:
    """What a folder of ours holds.

    Attributes:
        record: name of the file that says so.
        id: of this folder.
        files: sizes in bytes by name, relative to the folder; all but the record.
        entries: everything the record says.
    """

    record: str
    id: str
    files: Mapping[str, int]
    entries: Mapping[str, Any]

    def lacks(self, folder: Path) -> str | None:
        """The first listed file that is not in `folder` with the size it had; None where all are."""
        address = address_of(folder)
        if address is not None:
            sizes = listing(address)
            return next((name for name, size in self.files.items() if sizes.get(name) != size), None)
        for name, size in self.files.items():
            status = _lstat(folder / name)
            if status is None or not stat.S_ISREG(status.st_mode) or status.st_size != size:
                return name
        return None

    def foreign(self, folder: Path) -> str | None:
        """The first thing in `folder` that is not listed; None where there is nothing else. Links are not followed."""
        listed, address = {*self.files, self.record}, address_of(folder)
        if address is not None:
            return next((name for name in sorted(listing(address)) if name not in listed), None)
        for above, inner, names in os.walk(folder):
            where = Path(above).relative_to(folder)
            for name in sorted(inner):
                if Path(above, name).is_symlink():
                    return (where / name).as_posix()
            for name in sorted(names):
                whole, status = (where / name).as_posix(), _lstat(Path(above, name))
                if whole not in listed or status is None or not stat.S_ISREG(status.st_mode):
                    return whole
        return None


def seal(folder: Path, record: str, identifier: str) -> None:
    """Make a complete folder ours: list its files in its record, which is made where there is none."""
    path = folder / record
    entries = json.loads(path.read_bytes()) if path.exists() and path.stat().st_size else {}
    files = {
        file.relative_to(folder).as_posix(): file.stat().st_size
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file != path
    }
    write_json(path, {**entries, "made_by": MADE_BY, "id": identifier, "files": files})


def read_manifest(folder: Path, record: str) -> Manifest | None:
    """What a folder says of itself; None where it is not one of ours, or was made before folders said so."""
    entries = read_json_file(folder / record)
    if entries is None or entries.get("made_by") != MADE_BY:
        return None
    identifier, files = entries.get("id"), entries.get("files")
    if not isinstance(identifier, str) or not identifier or not isinstance(files, dict):
        return None
    if not all(is_inside(name) and type(size) is int for name, size in files.items()):
        return None
    return Manifest(record, identifier, files, entries)


def delete_listed(folder: Path, manifest: Manifest) -> bool:
    """Delete what a folder of ours lists, the record last, and the folder.

    Returns:
        Whether it is gone: it stays with all that is not listed, if there is such a thing.
    """
    root = os.path.realpath(folder)
    for above, _, names, at in os.fwalk(root, topdown=False):  # by open folders: no link is followed
        where = Path(above).relative_to(root)
        for name in names:
            whole = (where / name).as_posix()
            status = os.lstat(name, dir_fd=at)
            if whole in manifest.files and stat.S_ISREG(status.st_mode):
                with suppress(OSError):
                    os.unlink(name, dir_fd=at)
        if above != root:
            remove_empty(Path(above))
    (folder / manifest.record).unlink(missing_ok=True)
    return remove_empty(folder)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all, and on the disk when this returns."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    sync_file(temporary)
    temporary.replace(path)


def read_json_file(path: Path) -> dict[str, Any] | None:
    """A regular file of bounded size that holds a JSON object; None of anything else. Links are not followed.

    Raises:
        OSError: it is in an object store, which cannot be asked.
    """
    address = address_of(path)
    if address is not None:
        try:
            return _object(read(address, _MOST_BYTES))
        except InputError:  # too large
            return None
    status = _lstat(path)
    if status is None or not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
        return None
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return _object(file.read(_MOST_BYTES + 1))
    except OSError:
        return None


def _object(content: bytes | None) -> dict[str, Any] | None:
    """The JSON object in a file's content, if that is one."""
    try:
        found = None if content is None else json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_inside(name: object) -> bool:
    """Whether a listed name stays inside its folder.

    >>> [is_inside(name) for name in ("a/b.png", "../b", "/b", "", 3)]
    [True, False, False, False, False]
    """
    if not isinstance(name, str) or not name or "\0" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.as_posix() == name


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def remove_empty(folder: Path) -> bool:
    """Remove a folder if nothing is in it; whether it was."""
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
