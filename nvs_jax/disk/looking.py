"""What is at a path, here or in an object store. No JAX here."""

from glob import glob
from pathlib import Path

from nvs_jax.remote import address_of, find, is_there, listing


def exists(path: Path) -> bool:
    """Whether there is a file, or a folder that in a store holds something.

    Raises:
        OSError: the store cannot be asked.
    """
    address = address_of(path)
    return path.exists() if address is None else is_there(address)


def is_folder(path: Path) -> bool:
    """Whether there is a folder, which in a store is one that holds something.

    Raises:
        OSError: the store cannot be asked.
    """
    address = address_of(path)
    return path.is_dir() if address is None else any(listing(address))  # an object's own name is ""


def files_in(folder: Path) -> list[Path]:
    """The files directly in a folder, in no order.

    Raises:
        OSError: it cannot be read.
    """
    address = address_of(folder)
    if address is None:
        return [path for path in folder.iterdir() if path.is_file()]
    return [folder / name for name in listing(address) if name and "/" not in name]


def matching(pattern: Path) -> list[Path]:
    """The files whose names are like a pattern: *, ?, [abc], and ** for any folders; in no order.

    Raises:
        OSError: the store cannot be asked.
    """
    address = address_of(pattern)
    if address is not None:
        return [found.path for found in find(address)]
    found = (Path(path) for path in glob(str(pattern), recursive=True))  # noqa: PTH207, which wants a folder first
    return [path for path in found if path.is_file()]


def absolute(path: Path) -> Path:
    """The same path from the root of all files; an address is that of itself."""
    return path if address_of(path) else path.absolute()
