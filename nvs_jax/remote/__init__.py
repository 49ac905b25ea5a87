"""Files in object stores: addresses such as gs://bucket/name, and what can be done there. No JAX here."""

from nvs_jax.remote.address import COPIES, DRIVERS, Address, address_of, joined, spelt
from nvs_jax.remote.store import (
    copy,
    delete,
    download,
    find,
    is_there,
    listing,
    read,
    remote_errors,
    require_driver,
    upload,
    write,
)

__all__ = [
    "COPIES",
    "DRIVERS",
    "Address",
    "address_of",
    "copy",
    "delete",
    "download",
    "find",
    "is_there",
    "joined",
    "listing",
    "read",
    "remote_errors",
    "require_driver",
    "spelt",
    "upload",
    "write",
]
