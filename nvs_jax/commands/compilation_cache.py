"""Programs compiled once are kept on disk, so that the next start is quick."""

import os
from pathlib import Path

import jax

from nvs_jax.errors import InputError
from nvs_jax.remote import address_of, require_driver


def enable_compilation_cache() -> str:
    """Keep compiled programs in JAX_COMPILATION_CACHE_DIR, or in the user's cache folder.

    An address such as gs://bucket/folder is JAX's to understand; it warns, and compiles, where the store fails.

    Raises:
        InputError: the address's driver is not installed.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = os.environ.get("JAX_COMPILATION_CACHE_DIR") or str(home / "nvs_jax" / "programs")
    address = address_of(folder)
    if address is not None:
        try:
            require_driver(address)
        except InputError as error:
            raise InputError(f"JAX_COMPILATION_CACHE_DIR {error}") from None
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    return folder
