"""Addresses such as gs://bucket/folder/file, which travel through the program as paths.

`Path("gs://b/c")` is `gs:/b/c`, and everything that joins, splits and compares paths is right for that, too. What reads
or writes asks `address_of` what it is; what is said to people or written down is put right by `spelt`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DRIVERS: Final = {"gs": "gcs", "s3": "s3"}
"""Schemes that are read and written, and the extra of this package that brings each one's driver."""


COPIES: dict[Path, "Address"] = {}
"""What this process has at hand of object stores: files and folders, and where they are from."""


@dataclass(frozen=True)
class Address:
    """Of an object, or of all those whose names begin alike, which are called a folder.

    Attributes:
        scheme: one of `DRIVERS`.
        name: BUCKET/NAME, without a slash at its end.
    """

    scheme: str
    name: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.name}"

    def __truediv__(self, name: str) -> "Address":
        return Address(self.scheme, f"{self.name}/{name}") if name else self

    @property
    def path(self) -> Path:
        """As paths carry it."""
        return Path(str(self))


def address_of(path: str | Path) -> Address | None:
    """The address that a path carries; None of a path of this machine.

    >>> str(address_of(Path("gs://bucket/photos") / "a.png"))
    'gs://bucket/photos/a.png'
    >>> address_of("photos/a.png") is None
    True
    """
    found = _pattern().fullmatch(str(path))
    return None if found is None else Address(found[1], "/".join(part for part in (found[2] or "").split("/") if part))


def joined(base: Path, name: str) -> Path:
    """A name that counts from a folder, wherever that is; an address, or an absolute path, is itself.

    >>> joined(Path("gs://bucket/jobs"), "a.png").as_posix(), joined(Path("jobs"), "gs://bucket/a.png").as_posix()
    ('gs:/bucket/jobs/a.png', 'gs:/bucket/a.png')
    """
    return Path(name) if address_of(name) else base / name


def spelt(text: str) -> str:
    """A text in which addresses that paths have carried have both slashes again, and copies the names of originals.

    >>> spelt(f"{Path('gs://bucket/a.png')} is missing")
    'gs://bucket/a.png is missing'
    """
    for copy, address in COPIES.items():
        text = text.replace(str(copy), str(address))
    return re.sub(rf"(?<![\w/.+-])({'|'.join(DRIVERS)}):/(?=[^/\s])", r"\1://", text)


def _pattern() -> re.Pattern[str]:
    return re.compile(rf"({'|'.join(DRIVERS)}):(?:/+(.*))?", re.DOTALL)
