"""Object stores for tests: one in memory, and a real one (moto's S3) on the loopback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest

from nvs_jax.commands import batch_file
from nvs_jax.disk.copies import scratch_folder
from nvs_jax.remote import COPIES, DRIVERS, Address, address_of, download, listing, upload
from nvs_jax.settings import presets


@contextmanager
def memory_store() -> Iterator[str]:
    """An empty store in this process; memory://bucket is its bucket's address."""
    fsspec.filesystem("memory").store.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DRIVERS, "memory", "memory")
        yield "memory://bucket"
    fsspec.filesystem("memory").store.clear()


@contextmanager
def s3_store() -> Iterator[tuple[str, dict[str, str]]]:
    """An empty bucket of a server here: its address, and the environment in which S3 is that server."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        driver = fsspec.get_filesystem_class("s3")
        driver.clear_instance_cache()  # which knows a former server
        if not driver(use_listings_cache=False).exists("bucket"):
            driver(use_listings_cache=False).mkdir("bucket")
        try:
            yield "s3://bucket", environment
        finally:
            server.stop()


def at(text: str) -> Address:
    """The address in a text that holds one."""
    address = address_of(text)
    assert address is not None
    return address


def names_in(text: str) -> set[str]:
    """Names of all objects in a folder."""
    return set(listing(at(text)))


def fill(source: Path, folder: str) -> None:
    """Put all files of a folder here into one of a store."""
    upload(source, [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()], at(folder))


def fetch(folder: str, to: Path) -> Path:
    """The other way."""
    download(at(folder), listing(at(folder)), to)
    return to


def new_machine(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """As if this process were one on a machine whose temporary files are in `folder`, of which there are none."""
    folder.mkdir()
    patch.setattr("tempfile.tempdir", str(folder))
    COPIES.clear()
    for remembered in (scratch_folder, presets._own_at_hand, batch_file._is_stored):
        remembered.cache_clear()
