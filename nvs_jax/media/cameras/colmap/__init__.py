"""COLMAP's sparse models, as text or binary."""

from nvs_jax.media.cameras.colmap.convert import read_colmap, write_colmap
from nvs_jax.media.cameras.colmap.folders import model_folder

__all__ = ["model_folder", "read_colmap", "write_colmap"]
