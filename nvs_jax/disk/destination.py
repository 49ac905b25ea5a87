"""Where something may be written: judged before any work, in one line."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nvs_jax.disk.manifest import read_json_file, read_manifest
from nvs_jax.disk.moves import is_mount_point
from nvs_jax.errors import InputError
from nvs_jax.remote import Address, address_of, listing, spelt


@dataclass(frozen=True)
class Kind:
    """What a folder is.

    Attributes:
        name: in words.
        record: the file in it that says so; see `nvs_jax.disk.manifest`.
    """

    name: str
    record: str


RESULT, CHECKPOINT = Kind("result", "run.json"), Kind("checkpoint", "nvs_jax.json")


def resolved(out: Path, kind: Kind, inputs: Iterable[Path] = ()) -> Path:
    """The place itself, links resolved, if a folder can be put there at all.

    Args:
        out: the folder to make.
        kind: what it is to be.
        inputs: what is read to make it; those that are not there are left out.

    Raises:
        InputError: `out` cannot be replaced by a folder, or is or holds one of the inputs.
    """
    address = address_of(out)
    if address is not None:
        return _resolved_address(address, inputs)
    place = Path(os.path.realpath(out))  # of a loop of links, itself: it is no folder
    if place == place.parent:
        raise InputError(f"{out} is a whole disk: choose a folder in it")
    if is_mount_point(place):
        raise InputError(
            f"{out} is a mount point, whose place nothing can take: choose a folder in it, {out / kind.name}"
        )
    for given in inputs:
        real = Path(os.path.realpath(given))
        if real.exists() and real.is_relative_to(place):
            raise InputError(
                f"{out} {'is' if real == place else 'holds'} the input {given}: choose another folder with --out"
            )
    return place


def check_free(place: Path, kind: Kind, *, overwrite: bool) -> None:
    """Refuse to put a folder over something.

    Args:
        place: of the new folder.
        kind: of the new folder; only one of the same kind is ever replaced.
        overwrite: replace an earlier one.

    Raises:
        InputError: there is something that may not be replaced, or is not all ours and therefore never is.
    """
    if _is_empty(place, kind):
        return
    manifest = read_manifest(place, kind.record)
    if manifest is None:
        entries = read_json_file(place / kind.record) or {}
        if "versions" in entries or "format_version" in entries:
            raise InputError(
                f"{place} is not empty: it is a {kind.name} of an earlier version, which did not list its files; "
                "remove it yourself, or choose another folder"
            )
        raise InputError(
            f"{place} exists and is not a {kind.name} of this program, and not empty: choose another folder"
        )
    if not overwrite:
        raise InputError(
            f"{place} is not empty, it already holds a {kind.name}: choose another folder, or replace it with "
            "--overwrite"
        )
    foreign = manifest.foreign(place)
    if foreign is not None:
        raise InputError(
            f"{place} holds {foreign}, which is no part of the {kind.name} there, so --overwrite leaves all of it "
            "alone: move it away, or choose another folder"
        )


def _is_empty(place: Path, kind: Kind) -> bool:
    """Whether nothing is there, or an empty folder.

    Raises:
        InputError: a file is there.
    """
    address = address_of(place)
    if address is not None:
        names = listing(address)
        is_file, empty = "" in names, not names
    elif os.path.lexists(place):
        is_file = place.is_symlink() or not place.is_dir()
        empty = not is_file and not any(place.iterdir())
    else:
        return True
    if is_file:
        raise InputError(f"{place} exists and is not a {kind.name}, but a file: choose another folder")
    return empty


def _resolved_address(out: Address, inputs: Iterable[Path]) -> Path:
    if "/" not in out.name:
        raise InputError(f"{out} is a whole bucket: choose a folder in it, {out}/NAME")
    for given in inputs:
        address = address_of(spelt(str(given)))  # of a copy, that of what it is of
        if address is not None and address.path.is_relative_to(out.path):
            does = "is" if address == out else "holds"
            raise InputError(f"{out} {does} the input {address}: choose another folder with --out")
    return out.path
