"""Paths that no file can have, seen before any work. No JAX here."""

import errno
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from nvs_jax.errors import InputError
from nvs_jax.remote import DRIVERS, Address, address_of, require_driver

LONGEST_NAME = 220
"""Bytes: file systems take 255, and while a result is made its folder's name is a part of longer ones."""
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)
_TEXTS = {"weights", "depth_weights", "source", "model"}
"""Options that name a file or something else."""
_HERE = {"profile", "watch"}
"""Options that name what is made on this machine alone."""
MADE = {"out", "destination", *_HERE}
"""Options that name what is made; all other paths are read."""


def check_paths(job: Any) -> None:
    """Refuse addresses that are not read or written, of which `Path` makes folders here, and places for no result.

    Raises:
        InputError: one of the job's paths is none; the message names the option.
    """
    for name, value in _paths(job):
        option = f"--{name.replace('_', '-')}"
        if name in _HERE and (address := address_of(value)) is not None:
            raise InputError(f"{option} {address} is an address: give a place on this machine, and copy it afterwards")
        refuse_address(str(value), option, made=name in MADE)
        if name in MADE:
            _check_made(Path(value), option)


def refuse_address(text: str, option: str, *, made: bool = False) -> None:
    """Refuse an address in place of a path, but for those in object stores whose driver is there.

    Args:
        text: the path; `Path` may have taken slashes from it.
        option: for the message.
        made: whether it is for a result.

    Raises:
        InputError: it is one.
    """
    stored = address_of(text)
    if stored is not None:
        _check_stored(stored, option)
        return
    address = _ADDRESS.fullmatch(text)
    if address is None or Path(text).exists():
        return
    local = address[1] == "file"
    if local:
        advice = f"give /{address[2]}"
    elif made:
        advice = "give a folder, and copy it there afterwards, or mount the bucket and give its folder"
    else:
        advice = "download it, or mount the bucket, and give the file or folder"
    shown = f"{option} {address[1]}://{'/' * local}{address[2]}"
    known = " and ".join(f"{scheme}://" for scheme in DRIVERS)
    raise InputError(f"{shown} is an address, and only files of this machine, {known} are used: {advice}")


def _check_stored(address: Address, option: str) -> None:
    """Whether there can be such an object, and a driver that reaches it."""
    try:
        require_driver(address)
    except InputError as error:
        raise InputError(f"{option} {error}") from None
    if {".", ".."} & {*address.name.split("/")}:
        raise InputError(f"{option} {address}: an address cannot go up: leave out ..")


def _check_made(path: Path, option: str) -> None:
    """Whether a folder can be made, and put in place of a former one, under this name."""
    whole = path if address_of(path) else _resolved(path, option)
    if len(whole.name.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        raise InputError(f"{option} {path.name[:20]}...: a name can have {LONGEST_NAME} bytes")


def _resolved(path: Path, option: str) -> Path:
    with suppress(FileNotFoundError):
        try:
            path.stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise InputError(f"{option} {path} is a loop of links: choose another folder") from None
            raise
    whole = path.resolve()
    if not whole.name:
        raise InputError(f"{option} {path} is the root of all files: choose a folder in it")
    return whole


def _paths(value: Any) -> Iterator[tuple[str, Path | str]]:
    """(option, path) of all paths in a job, groups of settings included."""
    for field in fields(value):
        held = getattr(value, field.name)
        if is_dataclass(held):
            yield from ((f"{field.name}.{name}".removeprefix("settings."), path) for name, path in _paths(held))
        elif isinstance(held, Path) or (isinstance(held, str) and field.name in _TEXTS):
            yield field.name, held
