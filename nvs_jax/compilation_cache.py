"""Programs compiled once are kept on disk, so that the next start is quick."""

import os
from pathlib import Path

import jax


def enable_compilation_cache() -> Path:
    """Keep compiled programs in JAX_COMPILATION_CACHE_DIR, or in the user's cache folder."""
    given = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(given) if given else home / "nvs_jax" / "programs"
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    return folder
