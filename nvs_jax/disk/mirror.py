"""A folder that grows while a command works, wherever it is: of one in an object store a copy here, taken along."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from nvs_jax.disk.copies import scratch_folder
from nvs_jax.remote import COPIES, Address, address_of, download, listing, upload


@dataclass(frozen=True)
class Mirror:
    """A folder to work in.

    Attributes:
        folder: here.
        address: of the one it is a copy of, if it is one.
        sent: what is there, and when that changed here.
    """

    folder: Path
    address: Address | None
    sent: dict[str, int] = field(default_factory=dict)

    def follow(self) -> None:
        """Write what has changed here to the store; nothing is deleted there.

        Raises:
            OSError: the store.
        """
        if self.address is None:
            return
        here = changes(self.folder)
        upload(self.folder, [name for name in here if self.sent.get(name) != here[name]], self.address)
        self.sent.update(here)


@contextmanager
def mirrored(out: Path) -> Iterator[Mirror]:
    """Work in a folder; one in an object store is read before, and written after the block, also if that raises.

    Raises:
        InputError: it holds too many files.
        OSError: the store.
    """
    address = address_of(out)
    if address is None:
        yield Mirror(out, None)
        return
    with TemporaryDirectory(dir=scratch_folder()) as above:
        folder = Path(above) / out.name
        folder.mkdir()
        download(address, listing(address), folder)
        mirror = Mirror(folder, address, changes(folder))
        COPIES[folder] = address
        try:
            yield mirror
        finally:
            mirror.follow()
            del COPIES[folder]


def changes(folder: Path) -> dict[str, int]:
    """When each file in a folder was last written, by name; hidden ones, which are not complete, are left out."""
    return {
        file.relative_to(folder).as_posix(): file.stat().st_mtime_ns
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }
