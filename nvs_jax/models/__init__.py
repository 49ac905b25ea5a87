"""The networks: each family in a folder of its own, behind the contract of `nvs_jax.models.contract`."""

from nvs_jax.models.contract import Lattice, PictureEncoder, VideoModel
from nvs_jax.models.families import Family, family
from nvs_jax.models.networks import Networks, Weightless

__all__ = ["Family", "Lattice", "Networks", "PictureEncoder", "VideoModel", "Weightless", "family"]
