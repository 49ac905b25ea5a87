"""Programs compiled once are kept on disk, so that the next start is quick."""

import os
from pathlib import Path

import jax


def enable_compilation_cache() -> str:
    """Keep compiled programs in JAX_COMPILATION_CACHE_DIR, or in the user's cache folder.

    An address such as gs://bucket/folder is JAX's to understand.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = os.environ.get("JAX_COMPILATION_CACHE_DIR") or str(home / "nvs_jax" / "programs")
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    return folder
