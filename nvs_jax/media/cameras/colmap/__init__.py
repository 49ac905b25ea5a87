"""COLMAP's sparse models, as text or binary."""

from nvs_jax.media.cameras.colmap.convert import model_folder, read_colmap, write_colmap

__all__ = ["model_folder", "read_colmap", "write_colmap"]
