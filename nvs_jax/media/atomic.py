"""Under the name by which modules of this folder know them: see `nvs_jax.disk.atomic`."""

from nvs_jax.disk.atomic import atomic_folder, atomic_path

__all__ = ["atomic_folder", "atomic_path"]
