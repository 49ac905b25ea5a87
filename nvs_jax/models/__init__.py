"""The networks: each family in a folder of its own, behind the contract of `nvs_jax.models.contract`."""

from typing import TYPE_CHECKING

from nvs_jax import hand_on

if TYPE_CHECKING:
    from nvs_jax.models.contract import Lattice, PictureEncoder, VideoModel
    from nvs_jax.models.families import Family, family
    from nvs_jax.models.networks import Networks, Weightless

__all__ = ["Family", "Lattice", "Networks", "PictureEncoder", "VideoModel", "Weightless", "family"]

__getattr__ = hand_on(
    __name__,
    {
        "contract": ("Lattice", "PictureEncoder", "VideoModel"),
        "families": ("Family", "family"),
        "networks": ("Networks", "Weightless"),
    },
)
